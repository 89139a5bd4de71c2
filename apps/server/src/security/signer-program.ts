/**
 * A program of the operator's that holds platform keys which may not leave where they are: an HSM, a cloud's key service. It is started
 * once, without arguments, and asked in lines of JSON over its standard input; it answers in lines, in any order. docs/keys.md has
 * the lines, signers/pkcs11.py is one such program.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export type SignerProgram = {
  /** RSASSA-PKCS1-v1_5 over a SHA-256 digest, in Base64. */
  sign: (key: string, digest: Buffer) => Promise<string>
  /** SubjectPublicKeyInfo, DER in Base64. */
  publicKey: (key: string) => Promise<string>
  stop: () => void
}

/** What is not answered by then is answered no more: the program is ended, and started again by the next call. */
const ANSWER_MS = 5000
/** A program that ends at once is not started for every answer of the gateway. */
const START_PAUSE_MS = 1000
/** As many calls as a slow HSM answers in the time that a caller waits; the others hear at once that it is too much. */
const WAITING_MAX = 2000

type Waiting = { resolve: (answer: string) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }
type Running = { child: ChildProcessByStdio<Writable, Readable, null>; waiting: Map<number, Waiting> }
type Question = { key: string; digest: string } | { key: string; public: true }

const failed = (why: string): Error => new Error(`签名程序 ACOPAY_SIGNER 失败 (the signer program fails): ${why}`)

/** Starts nothing before the first call. `file` is started as it is, without a shell. */
export function signerProgram(
  file: string,
  limits = { answerMs: ANSWER_MS, startPauseMs: START_PAUSE_MS },
): SignerProgram {
  let running: Running | null = null
  let startedMs = Number.NEGATIVE_INFINITY
  let lastId = 0

  /** Every call that waits hears why. */
  function end(of: Running, why: string): void {
    if (running === of) running = null
    of.child.kill('SIGKILL')
    for (const { reject, timer } of of.waiting.values()) {
      clearTimeout(timer)
      reject(failed(why))
    }
    of.waiting.clear()
  }

  function start(): Running {
    if (performance.now() - startedMs < limits.startPauseMs)
      throw failed('it ended at once; waiting before the next try')
    startedMs = performance.now()
    const child = spawn(file, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    const started: Running = { child, waiting: new Map() }
    child.on('error', (error) => end(started, error.message))
    child.on('exit', (code, signal) => end(started, `it ended with ${code ?? signal}`))
    // What is written to a program that has ended is lost; its end is told above.
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', (line) => hear(started, line))
    return started
  }

  function hear(from: Running, line: string): void {
    const { id, answer, error } = readAnswer(line)
    const waiting = from.waiting.get(id)
    if (waiting === undefined) return
    from.waiting.delete(id)
    clearTimeout(waiting.timer)
    if (answer === null) waiting.reject(failed(error))
    else waiting.resolve(answer)
  }

  async function ask(question: Question): Promise<string> {
    running ??= start()
    const { child, waiting } = running
    const asked = running
    if (waiting.size >= WAITING_MAX) throw failed(`${WAITING_MAX} calls wait for it`)
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(asked, `no answer in ${limits.answerMs} ms`), limits.answerMs)
      waiting.set(id, { resolve, reject, timer })
      child.stdin.write(`${JSON.stringify({ id, ...question })}\n`)
    })
  }

  return {
    sign: (key, digest) => ask({ key, digest: digest.toString('base64') }),
    publicKey: (key) => ask({ key, public: true }),
    stop: () => {
      if (running !== null) end(running, 'the gateway stops')
    },
  }
}

/** `answer` is null where the program names an error, or says something else. */
function readAnswer(line: string): { id: number; answer: string | null; error: string } {
  try {
    const { id, signature, publicKey, error } = JSON.parse(line) as Record<string, unknown>
    const answer = signature ?? publicKey
    return {
      id: Number(id),
      answer: typeof answer === 'string' ? answer : null,
      error: typeof error === 'string' ? error.slice(0, 200) : 'neither signature nor publicKey nor error',
    }
  } catch {
    return { id: Number.NaN, answer: null, error: '' }
  }
}
