/** A signal at any moment of a start, as a fresh installation starts: it ends cleanly, and its PostgreSQL with it. */
import './support/only-long.ts'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spawnGateway } from './support/process.ts'
import { isLong } from './support/size.ts'

const MOMENTS = 20

let homes: string[]
beforeEach(() => {
  homes = []
})
afterEach(() => {
  for (const home of homes) fs.rmSync(home, { recursive: true })
})

function newHome(): string {
  const home = fs.mkdtempSync(path.join(tmpdir(), 's-'))
  homes.push(home)
  return home
}

/** Processes that work with files in this folder. */
const processesIn = (home: string): string[] =>
  fs.readdirSync('/proc').flatMap((pid) => {
    try {
      const command = /^\d+$/.test(pid) ? fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
      return command.includes(home) ? [command.replaceAll('\0', ' ')] : []
    } catch {
      return []
    }
  })

type End = { code: number | null; signal: NodeJS.Signals | null; left: string[]; output: string }

/** Starts a gateway in a fresh home and sends the signal once `moment` has resolved. */
async function endAt(
  moment: (home: string, output: () => string) => Promise<void>,
  signal: NodeJS.Signals,
): Promise<End> {
  const home = newHome()
  const child = spawnGateway({ ACOPAY_HOME: home, DATABASE_URL: '' })
  const ended = new Promise<Pick<End, 'code' | 'signal'>>((resolve) =>
    child.once('exit', (code, by) => resolve({ code, signal: by })),
  )
  await Promise.race([moment(home, child.output), ended])
  child.kill(signal)
  // As npm passes it on: a second one in the same moment is the same wish.
  child.kill(signal)
  return { ...(await ended), left: processesIn(home), output: child.output() }
}

const isClean = ({ code, signal, left }: End): boolean => (code === 0 || signal === 'SIGTERM') && left.length === 0

const whenThere = (file: string) => async (home: string) => {
  while (!fs.existsSync(path.join(home, file))) await pause(5)
}

it('a signal while files are made, PostgreSQL starts, or all is ready, ends the gateway with 0 and leaves no PostgreSQL', async () => {
  const files = ['postgres', 'postgres/data/postmaster.pid', 'demo.json']
  const ends = await Promise.all(files.map((file, index) => endAt(whenThere(file), index === 0 ? 'SIGINT' : 'SIGTERM')))
  const found = ends.map(({ code, left }) => ({ code, left }))
  expect(found).toEqual(files.map(() => ({ code: 0, left: [] })))
})

it.runIf(isLong)(
  `SIGTERM at ${MOMENTS} moments of a start ends it with 0, or 143 before the program is read, and leaves no process`,
  async () => {
    const begunAt = performance.now()
    let wholeMs = 0
    await endAt(async (_home, output) => {
      while (!output().includes('gateway')) await pause(20)
      wholeMs = performance.now() - begunAt
    }, 'SIGTERM')
    const unclean: (End & { atMs: number })[] = []
    const codes: (number | string | null)[] = []
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const atMs = Math.round((wholeMs * 1.1 * moment) / MOMENTS)
      const end = await endAt(() => pause(atMs), 'SIGTERM')
      codes.push(end.code ?? end.signal)
      if (!isClean(end)) unclean.push({ atMs, ...end })
    }
    console.log(`a start took ${Math.round(wholeMs)} ms; the ends of ${MOMENTS}: ${codes.join(' ')}`)
    expect(unclean).toEqual([])
  },
)
