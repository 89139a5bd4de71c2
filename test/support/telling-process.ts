/**
 * A process that sends notifications, and that a test kills. The parent sets its clock: for each `{ nowMs }` it sends the
 * notifications that are due and answers `done`; it says `posting` before each call.
 */

import { openPool } from '@acopay/store'
import { pino } from 'pino'
import { notifier } from '../../apps/server/src/jobs/notifier.ts'
import { safePost } from '../../apps/server/src/outbound/safe-post.ts'
import { loadSigningKey } from '../../apps/server/src/security/platform-key.ts'
import { loadPurposeKeys } from '../../apps/server/src/security/purpose-keys.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { buildWorld } from '../../apps/server/src/start/build-world.ts'
import { sureClock } from '../../apps/server/src/start/clock.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'

const [databaseUrl = '', masterKeyText = '', home = ''] = process.argv.slice(2)
const pool = openPool({ connectionString: databaseUrl, max: 4 })
const master = masterKeysOf(Buffer.from(masterKeyText, 'base64'))
const config = readConfig({}, home)
let nowMs = 0
const signingKey = await loadSigningKey(pool, master, new Date())
const outgoing = safePost({ ports: [], networks: [], isLoopbackAllowed: true })
const world = buildWorld({
  config,
  pool,
  master,
  purposeKey: await loadPurposeKeys(pool, master),
  log: pino({ level: 'silent' }),
  signingKey: () => signingKey,
  publicUrl: () => '',
  ownUrl: () => '',
  sandboxUrl: () => '',
  clock: sureClock(() => new Date(nowMs)),
  // Only an answer ends the wait: while a receiver is silent, the parent kills this process.
  sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
  outgoing: {
    ...outgoing,
    post: (url, body, signal) => {
      process.send?.('posting')
      return outgoing.post(url, body, signal)
    },
  },
})
const telling = notifier(world)

process.on('message', async (asked: { nowMs: number }) => {
  nowMs = asked.nowMs
  for (let sent = 1; sent > 0; ) {
    sent = await telling.sendDue()
    await telling.settled()
  }
  process.send?.('done')
})
process.send?.('ready')
