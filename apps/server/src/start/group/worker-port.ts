/** The parent's side of one worker: a process of this program that was started for it, and what they say to each other. */
import cluster, { type Worker } from 'node:cluster'
import { realpathSync } from 'node:fs'
import type { FromWorker, Post, ToWorker } from './messages.ts'
import type { Ended, Forked } from './workers.ts'

export type WorkerPort = Forked & {
  /** No two of one parent have the same. */
  id: number
  isListening: () => boolean
  tell: (message: ToWorker) => void
}

const LAST_WORDS_MS = 200

/** Threads of one process on which signatures are made and files are read. */
const THREADS_MIN = 4

/** Each worker runs the program that this process runs, also where the path to it leads to another version by now. */
export function prepareForks(): void {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({ exec: realpathSync(process.argv[1] ?? ''), args: process.argv.slice(2) })
}

type Heard = (port: WorkerPort, message: FromWorker) => void

/** `threads`: what UV_THREADPOOL_SIZE says for all processes together. */
export function forkWorker(post: Post, threads: number, heard: Heard): WorkerPort {
  const share = Math.max(THREADS_MIN, Math.ceil(threads / post.processes))
  const worker = cluster.fork({ UV_THREADPOOL_SIZE: String(share) })
  let why: string | null = null
  let isListening = false
  let hasListened: (url: string | null) => void = () => {}
  const listening = new Promise<string | null>((resolve) => {
    hasListened = resolve
  })
  const tell = (message: ToWorker): void => {
    if (worker.isConnected()) worker.send(message, undefined, undefined, () => {})
  }
  const port: WorkerPort = {
    id: worker.id,
    pid: worker.process.pid,
    isListening: () => isListening && worker.isConnected(),
    listening,
    ended: endOf(worker, () => why),
    tell,
    leave(how) {
      isListening = false
      tell({ say: 'leave', how })
    },
    kill: () => void worker.process.kill('SIGKILL'),
  }
  worker.on('message', (message: FromWorker) => {
    if (message.say === 'hello') tell({ say: 'post', post })
    // It has read by then whatever was sent to it before.
    if (message.say === 'let go') tell({ say: 'let go' })
    if (message.say === 'failed') why = message.line
    if (message.say === 'listening') {
      isListening = true
      hasListened(message.url)
    }
    heard(port, message)
  })
  void port.ended.then(() => hasListened(null))
  return port
}

/** Of its exit and the end of its messages the later one, since what it said last may be read after its exit was seen. */
function endOf(worker: Worker, why: () => string | null): Promise<Ended> {
  const silent = new Promise<void>((resolve) => worker.once('disconnect', resolve))
  return new Promise<Ended>((resolve) => {
    worker.once('exit', (code, signal) => {
      // With a connection on its way to a process that has died, Node does not notice that the channel has ended, and would send more.
      const cut = setTimeout(() => worker.process.emit('disconnect'), LAST_WORDS_MS)
      void silent.then(() => {
        clearTimeout(cut)
        resolve({ code, signal, why: why() })
      })
    })
    // One that could not even begin has no exit. A message to one that has just died fails too; its exit says so.
    worker.on('error', ({ message }) => {
      if (worker.process.pid === undefined) resolve({ code: null, signal: null, why: message })
    })
  })
}
