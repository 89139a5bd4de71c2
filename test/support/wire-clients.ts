/** The clients of examples/clients, one in each language, as this machine can run them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

const CLIENTS = path.resolve(import.meta.dirname, '../../examples/clients')

type Language = {
  name: string
  /** What has to be on the PATH. */
  needs: string[]
  /** The Debian packages that bring it. */
  packages: string
  /** A further check, where the command alone does not do. */
  check?: string[]
  /** Makes a program in `dir` before the first run. */
  prepare?: (dir: string) => string[]
  command: (dir: string) => string[]
  /** The command of its server of notifications; null where it is given one body on stdin. */
  server: ((dir: string, port: number) => string[]) | null
}

const at = (...parts: string[]): string => path.join(CLIENTS, ...parts)

/** The fastest first. */
const LANGUAGES: Language[] = [
  {
    name: 'python',
    needs: ['python3'],
    packages: 'python3 python3-cryptography',
    check: ['python3', '-c', 'import cryptography'],
    command: () => ['python3', at('python/acopay.py')],
    server: (_dir, port) => ['python3', at('python/acopay.py'), 'notify', '--port', String(port)],
  },
  {
    name: 'php',
    needs: ['php'],
    packages: 'php-cli',
    command: () => ['php', at('php/acopay.php')],
    server: (_dir, port) => ['php', '-S', `127.0.0.1:${port}`, at('php/acopay.php')],
  },
  {
    name: 'sh',
    needs: ['curl', 'openssl', 'jq'],
    packages: 'curl openssl jq',
    command: () => ['sh', at('sh/acopay.sh')],
    server: null,
  },
  {
    name: 'go',
    needs: ['go'],
    packages: 'golang-go',
    prepare: (dir) => ['go', 'build', '-o', path.join(dir, 'acopay'), at('go/acopay.go')],
    command: (dir) => [path.join(dir, 'acopay')],
    server: (dir, port) => [path.join(dir, 'acopay'), 'notify', '--port', String(port)],
  },
  {
    name: 'java',
    needs: ['java', 'javac'],
    packages: 'default-jdk-headless',
    prepare: (dir) => ['javac', '-d', dir, at('java/AcoPay.java')],
    command: (dir) => ['java', '-cp', dir, 'AcoPay'],
    server: (dir, port) => ['java', '-cp', dir, 'AcoPay', 'notify', '--port', String(port)],
  },
  {
    name: 'csharp',
    needs: ['mcs', 'mono'],
    packages: 'mono-mcs',
    prepare: (dir) => ['mcs', `-out:${path.join(dir, 'acopay.exe')}`, at('csharp/AcoPay.cs')],
    command: (dir) => ['mono', path.join(dir, 'acopay.exe')],
    server: (dir, port) => ['mono', path.join(dir, 'acopay.exe'), 'notify', '--port', String(port)],
  },
]

const isOnPath = (command: string): boolean =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

const isThere = ({ needs, check: [command = '', ...args] = [] }: Language): boolean =>
  needs.every(isOnPath) && (command === '' || spawnSync(command, args).status === 0)

/** The languages to test, at most so many of those that are here; and those that are missing among the ones looked at. */
export function languages(max: number): { here: Language[]; missing: Language[] } {
  const [here, missing]: [Language[], Language[]] = [[], []]
  for (const language of LANGUAGES) {
    if (here.length < max) (isThere(language) ? here : missing).push(language)
  }
  return { here, missing }
}

export type Ran = { code: number | null; stdout: string; stderr: string }
export type Heard = { httpStatus: number; answer: string }

export type WireClient = {
  /** One command of the client, with these settings. */
  run: (settings: string | null, ...args: string[]) => Promise<Ran>
  /** Gives it a notification's body, and answers what it would answer the gateway. */
  hear: (body: string) => Promise<Heard>
  /** What its receiver of notifications wrote so far. */
  said: () => string
  stop: () => Promise<void>
}

/** `settings`: the file for its receiver of notifications. `dir`: a folder for what it makes. */
export async function wireClient(language: Language, dir: string, settings: string): Promise<WireClient> {
  const env = {
    ...process.env,
    LC_ALL: 'C.UTF-8',
    ACOPAY_SETTINGS: settings,
    ACOPAY_HEARD: path.join(dir, 'heard.txt'),
    GOCACHE: path.join(dir, 'go-cache'),
    GOFLAGS: '-mod=mod',
  }
  const started = ([command = '', ...args]: string[]): ChildProcess & { output: () => [string, string] } => {
    const child = spawn(command, args, { env })
    const texts: [string, string] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (texts[0] += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (texts[1] += text))
    return Object.assign(child, { output: () => texts })
  }
  const finished = async (command: string[], stdin = ''): Promise<Ran> => {
    const child = started(command)
    child.stdin?.end(stdin)
    const [code] = await once(child, 'close')
    const [stdout, stderr] = child.output()
    return { code, stdout, stderr }
  }
  const prepared = language.prepare === undefined ? null : await finished(language.prepare(dir))
  if (prepared !== null && prepared.code !== 0) throw new Error(prepared.stderr)
  const command = language.command(dir)
  const run: WireClient['run'] = (file, ...args) =>
    finished([...command, ...args, ...(file === null ? [] : ['--settings', file])])
  if (language.server === null) return { run, ...(await withoutServer(command, settings, finished)) }
  const port = await freePort()
  const server = started([...language.server(dir, port), ...(language.name === 'php' ? [] : ['--settings', settings])])
  const ended = once(server, 'close')
  await new Promise<void>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', () => server.output().join('').includes(`http://127.0.0.1:${port}`) && resolve())
    }
    void ended.then(() => reject(new Error(server.output().join(''))))
  })
  return {
    run,
    said: () => server.output().join(''),
    async hear(body) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })
      return { httpStatus: response.status, answer: await response.text() }
    },
    async stop() {
      server.kill()
      await ended
    },
  }
}

/** The exit codes of the client in sh stand for HTTP statuses. */
const STATUS_OF: Record<number, number> = { 0: 200, 3: 400, 4: 401 }

async function withoutServer(
  command: string[],
  settings: string,
  finished: (command: string[], stdin: string) => Promise<Ran>,
): Promise<Omit<WireClient, 'run'>> {
  let said = ''
  return {
    said: () => said,
    async hear(body) {
      const { code, stdout, stderr } = await finished([...command, 'notification', '--settings', settings], body)
      said += stderr
      return { httpStatus: STATUS_OF[code ?? -1] ?? 500, answer: stdout }
    },
    stop: async () => {},
  }
}

/** Not every server says which port it took when it may choose. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
