/**
 * What tests leave on a machine: processes, listening ports, folders. Every process that a test starts inherits OWNER in
 * its environment and keeps it when it outlives its parent. Processes and ports are read from /proc: on systems without it
 * only folders are seen.
 * `node scripts/leftovers.mjs` lists what any run of tests, and any command of ours, has left.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The variable that names who started a process: a run, or `run.file`. */
export const OWNER = 'ACOPAY_TEST_OWNER'

/** Caches of tools, which the next run uses again. */
const isCache = (name) => /^tsx-\d+$/.test(name) || name === 'node-compile-cache'

/** @typedef {{ pid: number, owner: string, command: string }} Process */

/**
 * Living processes that were started by this owner, or by one below it.
 * @param {string} owner
 * @returns {Process[]}
 */
export function processesOf(owner) {
  const environments = new Map(pids().map((pid) => [pid, read(pid, 'environ')]))
  return [...environments].flatMap(([pid, environment]) => {
    // PostgreSQL's processes write their titles over their environment; their parent keeps it.
    const own = ownerIn(environment.includes('=') ? environment : (environments.get(parentOf(pid)) ?? ''))
    if (own === null || (own !== owner && !own.startsWith(`${owner}.`)) || pid === process.pid) return []
    return [{ pid, owner: own, command: commandOf(pid) }]
  })
}

/** @returns {number[]} */
const pids = () => {
  if (!fs.existsSync('/proc/self/environ')) return []
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Null: it was not started by a test, or it has ended (a zombie's environment is empty). */
function ownerIn(environment) {
  if (!environment.includes(OWNER)) return null
  const found = environment.split('\0').find((entry) => entry.startsWith(`${OWNER}=`))
  return found === undefined ? null : found.slice(OWNER.length + 1)
}

const parentOf = (pid) => Number(/\) [^Z] (\d+) /.exec(read(pid, 'stat'))?.[1] ?? 0)

const commandOf = (pid) => read(pid, 'cmdline').split('\0').join(' ').trim()

/** As much of it as a line takes. */
const shown = (command) => command.slice(0, 200)

function read(pid, name) {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/**
 * TCP ports on which one of these processes listens.
 * @param {number[]} owners
 * @returns {number[]}
 */
export const portsOf = (owners) => portsOn(owners.flatMap(socketsOf))

/**
 * TCP ports that these sockets listen on. The system's table of connections is long, and only read where there is a socket.
 * @param {string[]} numbers
 * @returns {number[]}
 */
export function portsOn(numbers) {
  if (numbers.length === 0) return []
  const sockets = new Set(numbers)
  const ports = ['tcp', 'tcp6'].flatMap((name) =>
    read('self', `net/${name}`)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A' && sockets.has(columns[9]))
      .map((columns) => Number.parseInt(columns[1].split(':')[1], 16)),
  )
  return [...new Set(ports)].sort((one, other) => one - other)
}

/**
 * The numbers of the sockets that a process holds.
 * @param {number} pid
 * @returns {string[]}
 */
export function socketsOf(pid) {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}

/**
 * What lies in a folder for temporary files, caches aside.
 * @param {string} dir
 * @returns {string[]}
 */
export const entriesOf = (dir) => (fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => !isCache(name)) : [])

/** Where Linux keeps files in memory. A database is made and dropped there in an eighth of the time, and a server starts in a third. */
const IN_MEMORY = '/dev/shm'
const ROOM_BYTES = 6 * 1024 ** 3

/**
 * Where tests keep their temporary files: in memory where there is room and programs may run, else where the system keeps its own.
 * @returns {string}
 */
export function quickFolder() {
  const mounts = fs.existsSync('/proc/mounts') ? fs.readFileSync('/proc/mounts', 'utf8').split('\n') : []
  const options = mounts.map((line) => line.split(' ')).find(([, place]) => place === IN_MEMORY)?.[3]
  if (options === undefined || options.split(',').includes('noexec')) return os.tmpdir()
  const { bavail, bsize } = fs.statfsSync(IN_MEMORY)
  return bavail * bsize > ROOM_BYTES ? IN_MEMORY : os.tmpdir()
}

/**
 * A folder for temporary files, all of one owner. What tools keep there for the next run is led back to where it was.
 * @param {string} above
 * @param {string} prefix
 * @returns {string}
 */
export function ownTemporaryFolder(above, prefix) {
  const dir = fs.mkdtempSync(path.join(above, prefix))
  // PostgreSQL may run as another user, and passes through.
  fs.chmodSync(dir, 0o755)
  if (process.getuid === undefined) return dir
  const cache = path.join(above, `tsx-${process.getuid()}`)
  fs.mkdirSync(cache, { recursive: true })
  fs.symlinkSync(fs.realpathSync(cache), path.join(dir, path.basename(cache)))
  return dir
}

/** A test file's folder with nothing in it: no hook removes it where all tests of the file were skipped. */
const isUnused = (folder) => path.basename(folder).startsWith('acopay-t-') && entriesOf(folder).length === 0

/** What ends needs a moment to be gone. */
const GRACE_MS = 3000

/**
 * One line for each thing that this owner left. Waits a little for what is ending.
 * @param {{ owner: string, dir: string, ports?: () => number[], more?: () => Promise<string[]>, graceMs?: number }} of
 * @returns {Promise<string[]>}
 */
export async function leftovers({ owner, dir, ports = () => [], more = async () => [], graceMs = GRACE_MS }) {
  for (const untilMs = performance.now() + graceMs; ; await pause(50)) {
    const running = processesOf(owner)
    const listening = [...ports(), ...portsOf(running.map(({ pid }) => pid))]
    const found = [
      ...running.map(({ pid, command }) => `process ${pid}: ${shown(command)}`),
      ...listening.map((port) => `port ${port}`),
      ...entriesOf(dir)
        .map((name) => path.join(dir, name))
        .filter((folder) => !isUnused(folder))
        .map((folder) => `folder ${folder}`),
      ...(await more()),
    ]
    if (found.length === 0 || performance.now() > untilMs) return found
  }
}

/**
 * Ends what this owner left and removes its folder, so that it harms no other.
 * @param {string} owner
 * @param {string} dir
 */
export async function clearAway(owner, dir) {
  for (const { pid } of processesOf(owner)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  for (const untilMs = performance.now() + GRACE_MS; processesOf(owner).length > 0; await pause(50)) {
    if (performance.now() > untilMs) break
  }
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

const IS_OURS = /^\S*(node|postgres|chrom)\S* .*(acopay-|start-from-source)|^postgres: acopay/

/** Everything of ours on this machine, one line each: to be looked at before a run and after it. */
function listing() {
  const running = pids().filter(
    (pid) => pid !== process.pid && (ownerIn(read(pid, 'environ')) !== null || IS_OURS.test(commandOf(pid))),
  )
  return [
    ...running.map((pid) => `process ${pid}: ${shown(commandOf(pid))}`),
    ...portsOf(running).map((port) => `port ${port}`),
    ...[...new Set([os.tmpdir(), quickFolder()])].flatMap((above) =>
      entriesOf(above)
        .filter((name) => name.startsWith('acopay-'))
        .map((name) => `folder ${path.join(above, name)}`),
    ),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = listing()
  for (const line of lines) console.log(line)
  console.log(`${lines.length} left`)
}
