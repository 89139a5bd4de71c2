/** A signer program (docs/keys.md) for tests: a script of Node with one RSA key, and names that stand for what can go wrong. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { rsaKeys } from './keys.ts'

/**
 * `first`: answers only once a second question is there, and that one before it. `silent`: never answers. `dies`: ends. `unknown`:
 * says that there is no such key. `odd`: answers a line that is no JSON, then a signature that is none. Any other name: signs.
 */
const SCRIPT = `#!${process.execPath}
const { createInterface } = require('node:readline')
const { appendFileSync, readFileSync } = require('node:fs')
const { constants, createPrivateKey, createPublicKey, privateEncrypt } = require('node:crypto')
const key = createPrivateKey(readFileSync(__dirname + '/key.pem'))
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n')
const sign = ({ id, digest }) => say({
  id,
  signature: privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([digestInfo, Buffer.from(digest, 'base64')])).toString('base64'),
})
appendFileSync(__dirname + '/starts', process.pid + '\\n')
let kept = null
createInterface({ input: process.stdin }).on('line', (line) => {
  const asked = JSON.parse(line)
  if (asked.key === 'dies') process.exit(3)
  if (asked.key === 'unknown') return say({ id: asked.id, error: 'no such key' })
  if (asked.key === 'silent') return
  if (asked.public) return say({ id: asked.id, publicKey })
  if (asked.key === 'odd') return process.stdout.write('hello\\n' + JSON.stringify({ id: asked.id, signature: 'AAAA' }) + '\\n')
  if (asked.key === 'first') return void (kept = asked)
  sign(asked)
  if (kept !== null) sign(kept)
  kept = null
})`

/** Its file, and the folder in which each of its starts adds a line to `starts`. */
export function testSigner(dir = mkdtempSync(path.join(tmpdir(), 'acopay-signer-'))): { file: string; dir: string } {
  writeFileSync(path.join(dir, 'key.pem'), rsaKeys('signer').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const file = path.join(dir, 'signer.cjs')
  writeFileSync(file, SCRIPT, { mode: 0o700 })
  return { file, dir }
}
