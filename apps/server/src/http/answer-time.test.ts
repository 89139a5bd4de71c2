import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { takenTimers } from '../../../../test/support/taken-timers.ts'
import { readConfig } from '../start/config.ts'
import { NO_TRACES } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { buildServer, NO_EXTRA_ROUTES } from './server.ts'

it('a caller whose database says nothing is told 1500 after nine seconds, and not before', async () => {
  let isAsked = false
  const { calls: afterNineSeconds, giveBack } = takenTimers('setTimeout', 9000)
  const world = {
    isSandbox: false,
    now: () => new Date(0),
    log: { info: () => {}, error: () => {} },
    tracer: NO_TRACES,
    phase: () => 'ready',
    merchants: {
      find: () => {
        isAsked = true
        return new Promise(() => {})
      },
    },
  } as unknown as World
  const app = buildServer(world, readConfig({ ACOPAY_MODE: 'production' }, '/nowhere'), NO_EXTRA_ROUTES)
  const names = { 'mch-no': 'M1', nonce: 'n1', 'sign-type': 'SHA256withRSA', sign: 'c2lnbg==' }
  const headers = Object.fromEntries(Object.entries(names).map(([name, value]) => [`x-acopay-${name}`, value]))
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/pay/v1/transactions/close`
  let answer: { status: number; type: string; body: string } | null = null
  const asked = request(url, { method: 'POST', headers, agent: false }, async (response) => {
    answer = {
      status: response.statusCode ?? 0,
      type: response.headers['content-type'] ?? '',
      body: await text(response),
    }
  })
  asked.end('{"transaction_no":"AP1"}')
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  }
  while (!isAsked) await turns()
  await turns()
  expect(answer).toBeNull()
  for (const call of afterNineSeconds) call()
  while (answer === null) await turns()
  expect(answer).toMatchObject({
    status: 200,
    type: 'application/json; charset=utf-8',
    body: expect.stringContaining('"status":1500'),
  })
  giveBack()
  await app.close()
})
