/** The program that signs for the gateway (docs/keys.md): its answers, and what happens when it ends, hangs or is missing. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { publicKeyFrom, verifyText } from '@acopay/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testSigner } from '../../../../test/support/signer.ts'
import { type SignerProgram, signerProgram } from './signer-program.ts'

let program: { file: string; dir: string }
let signer: SignerProgram
beforeEach(() => {
  program = testSigner()
  signer = signerProgram(program.file, { answerMs: 60_000, startPauseMs: 0 })
})
afterEach(() => {
  signer.stop()
  rmSync(program.dir, { recursive: true })
})

const sign = (key: string, text = 'text'): Promise<string> =>
  signer.sign(key, createHash('sha256').update(text).digest())
const verifies = async (signature: string, text = 'text'): Promise<boolean> =>
  verifyText(text, signature, publicKeyFrom(await signer.publicKey('k')))
const starts = (): string[] => readFileSync(path.join(program.dir, 'starts'), 'utf8').trim().split('\n')

const isRunning = (pid: string): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

it('signs a digest, and a hundred at once, with one start', async () => {
  const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`)
  const signatures = await Promise.all(texts.map((text) => sign('k', text)))
  for (const [index, text] of texts.entries()) expect(await verifies(signatures[index] ?? '', text)).toBe(true)
  expect(starts()).toHaveLength(1)
})

it('may answer in another order than it was asked', async () => {
  const heard: string[] = []
  const asked = ['first', 'second'].map(async (key) => {
    const signature = await sign(key, key)
    heard.push(key)
    return verifies(signature, key)
  })
  expect([await Promise.all(asked), heard]).toEqual([
    [true, true],
    ['second', 'first'],
  ])
})

it('that does not know a key says so, and goes on', async () => {
  await expect(sign('unknown')).rejects.toThrow('ACOPAY_SIGNER 失败 (the signer program fails): no such key')
  expect(await verifies(await sign('k'))).toBe(true)
  expect(starts()).toHaveLength(1)
})

it('may write lines that are no answers', async () => {
  expect(await sign('odd')).toBe('AAAA')
})

it('that ends is told to all who wait, and is started again by the next call', async () => {
  const waiting = ['silent', 'silent', 'dies'].map((key) => sign(key).catch((error: Error) => error.message))
  expect(await Promise.all(waiting)).toEqual(
    waiting.map(() => '签名程序 ACOPAY_SIGNER 失败 (the signer program fails): it ended with 3'),
  )
  expect(await verifies(await sign('k'))).toBe(true)
  expect(starts()).toHaveLength(2)
})

it('that says nothing is ended when its time is over', async () => {
  signer.stop()
  signer = signerProgram(program.file, { answerMs: 1, startPauseMs: 0 })
  await expect(sign('silent')).rejects.toThrow('no answer in 1 ms')
})

it('that ends at once is not started by each call', async () => {
  signer.stop()
  signer = signerProgram(program.file, { answerMs: 60_000, startPauseMs: 3_600_000 })
  await expect(sign('dies')).rejects.toThrow('it ended with 3')
  await expect(sign('k')).rejects.toThrow('it ended at once')
  expect(starts()).toHaveLength(1)
})

it('that is not there is an error that names the setting', async () => {
  signer = signerProgram(path.join(program.dir, 'absent'), { answerMs: 60_000, startPauseMs: 0 })
  await expect(sign('k')).rejects.toThrow(/ACOPAY_SIGNER.*ENOENT/)
})

it('lets two thousand calls wait, and refuses the next', async () => {
  const waiting = Array.from({ length: 2000 }, () => sign('silent').catch((error: Error) => error.message))
  await expect(sign('k')).rejects.toThrow('2000 calls wait for it')
  signer.stop()
  expect(new Set(await Promise.all(waiting)).size).toBe(1)
})

it('is ended with the gateway', async () => {
  await sign('k')
  const [pid = ''] = starts()
  expect(isRunning(pid)).toBe(true)
  signer.stop()
  while (isRunning(pid)) await pause(5)
})
