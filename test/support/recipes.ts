/** The recipes of examples/recipes, installed from a package of the SDK and started as a developer starts them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { pack, ROOT } from './packed.ts'
import { freePort } from './wire-clients.ts'

const NODE_RECIPES = ['hono', 'express', 'fastify', 'koa', 'nestjs', 'next'] as const
type Recipe = (typeof NODE_RECIPES)[number] | 'spring-boot'

/** The recipes need Node 22.18; where the tests run on an older one, npm brings one of its own. */
const NEWER = 'node@26'

export type Toolbox = {
  /** Runs a program to its end with the recipes' own Node in front of the PATH; answers what it printed, or throws it. */
  run: (command: string[], cwd: string) => Promise<string>
  start: (command: string[], cwd: string, env: Record<string, string>) => StartedProgram
}

export type StartedProgram = { output: () => string; ended: Promise<unknown>; stop: () => Promise<void> }

/** The recipes to test, at most so many; and why others are not tested, one line each. */
export function recipes(max: number): { here: Recipe[]; toolbox: Toolbox | null; missing: string[] } {
  if (max === 0) return { here: [], toolbox: null, missing: ['the recipes run in npm run test:long'] }
  const node = isRegistryHere() ? newNode() : null
  const missing = [
    ...(node === null ? [`the recipes are not tested: the npm registry, or ${NEWER} from it, cannot be reached`] : []),
    ...(isSpringHere() ? [] : [`the recipe for Spring is not tested: apt-get install ${SPRING_PACKAGES}`]),
  ]
  if (node === null) return { here: [], toolbox: null, missing }
  const here: Recipe[] = [...NODE_RECIPES, ...(isSpringHere() ? (['spring-boot'] as const) : [])]
  return { here: here.slice(0, max), toolbox: toolboxOf(node), missing }
}

const isRegistryHere = (): boolean =>
  spawnSync('npm', ['view', 'hono', 'version', '--fetch-retries=1'], { timeout: 120_000 }).status === 0

function newNode(): string | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  const asked = spawnSync('npx', ['--yes', NEWER, '-p', 'process.execPath'], { encoding: 'utf8', timeout: 240_000 })
  return asked.status === 0 ? asked.stdout.trim() : null
}

const SPRING_PACKAGES =
  'default-jdk-headless libspring-web-servlet-java libjetty9-java libxerial-sqlite-jdbc-java libjackson2-databind-java'
const SPRING_JARS = ['spring3-web.servlet', 'jetty9-servlet', 'xerial-sqlite-jdbc', 'jackson-databind']

const isSpringHere = (): boolean =>
  ['/usr/bin/javac', ...SPRING_JARS.map((jar) => `/usr/share/java/${jar}.jar`)].every((file) => existsSync(file))

function toolboxOf(node: string): Toolbox {
  const { NODE_ENV: _vitests, ...own } = process.env
  const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`
  // No tool reports to its maker, and npm asks the registry only for what it does not have.
  const quiet = { NEXT_TELEMETRY_DISABLED: '1', npm_config_prefer_offline: 'true', npm_config_audit: 'false' }
  const started = ([command = '', ...args]: string[], cwd: string, env: Record<string, string>) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...own, ...quiet, PATH, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    return { child, ended: once(child, 'close'), output: () => Buffer.concat(chunks).toString() }
  }
  return {
    run: async (command, cwd) => {
      const { ended, output } = started(command, cwd, {})
      const [code] = await ended
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output()}`)
      return output()
    },
    start: (command, cwd, env) => {
      const { child, ended, output } = started(command, cwd, env)
      return { output, ended, stop: () => kill(child, ended) }
    },
  }
}

/** Kills it with all that it started, without a warning: what a shop has to survive. */
async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
  await ended
}

/** Makes a shop in `dir` as `npm create acopay` does: with the packed starter, installed alone. */
export async function createdShop({ run }: Toolbox, dir: string, args: string[]): Promise<void> {
  const { file } = await pack('packages/create-acopay', dir)
  await run(['npm', 'exec', '--yes', `--package=${file}`, '--', 'create-acopay', ...args], dir)
}

/** Copies a recipe out of the repository, installs and builds it there; answers its folder. */
export async function installedRecipe({ run }: Toolbox, name: Recipe, sdk: string): Promise<string> {
  const dir = mkdtempSync(path.join(tmpdir(), `recipe-${name}-`))
  const from = path.join(ROOT, 'examples/recipes', name)
  cpSync(from, dir, { recursive: true, filter: (file) => !/[/\\](?:node_modules|\.next|dist|target)$/.test(file) })
  if (name === 'spring-boot') await run(['sh', path.join(ROOT, 'test/support/spring/build.sh'), dir], dir)
  else await installed({ run }, dir, sdk)
  return dir
}

/** npm's own commands, as the readme has them. */
export async function installed({ run }: Pick<Toolbox, 'run'>, dir: string, sdk: string | null): Promise<void> {
  await run(['npm', 'install', ...(sdk === null ? [] : [sdk])], dir)
  await run(['npm', 'run', 'check', '--if-present'], dir)
  await run(['npm', 'run', 'build', '--if-present'], dir)
}

export type RunningShop = {
  url: string
  /** A request as a page makes it; answers HTTP status and JSON. */
  ask: (method: 'GET' | 'POST', path: string) => Promise<{ httpStatus: number; answer: unknown }>
  /** Runs statements in the shop's database, and answers the rows of the last. */
  sql: (statements: string) => Promise<unknown[]>
  output: () => string
  stop: () => Promise<void>
}

const SQL = `
  const db = new (require('node:sqlite').DatabaseSync)(process.argv[1])
  db.exec('pragma busy_timeout = 5000')
  const rows = JSON.parse(process.argv[2]).map((one) => db.prepare(one).all())
  console.log(JSON.stringify(rows.at(-1)))`

/** Starts an installed recipe. `notifyBase`: where the gateway reaches it. */
export async function runningShop(
  toolbox: Toolbox,
  dir: string,
  { demo, notifyBase }: { demo: DemoSettings; notifyBase?: string },
): Promise<RunningShop> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const database = path.join(dir, 'shop.db')
  const config = path.join(dir, 'settings.json')
  writeFileSync(config, JSON.stringify(demo))
  const env = {
    PORT: String(port),
    ACOPAY_CONFIG: config,
    ...(notifyBase === undefined ? {} : { SHOP_URL: notifyBase }),
  }
  const command = existsSync(path.join(dir, 'package.json')) ? ['npm', 'start'] : ['sh', 'start.sh']
  const program = toolbox.start(command, dir, env)
  const hasEnded = program.ended.then(() => {
    throw new Error(`the shop ended:\n${program.output()}`)
  })
  const sql: RunningShop['sql'] = async (statements) => {
    const all = JSON.stringify(statements.split(';').map((one) => one.trim()))
    return JSON.parse(await toolbox.run(['node', '--no-warnings', '-e', SQL, database, all], dir))
  }
  await Promise.race([hasEnded, listening(url, program)])
  hasEnded.catch(() => undefined)
  return {
    url,
    ask: async (method, at) => {
      const response = await fetch(url + at, { method })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json')
      return { httpStatus: response.status, answer: isJson ? JSON.parse(text) : text }
    },
    sql,
    output: program.output,
    stop: program.stop,
  }
}

async function listening(url: string, { output }: StartedProgram): Promise<void> {
  const deadline = performance.now() + 120_000
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/orders/none`).catch(() => null)
    if (response?.status === 404) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the shop does not listen:\n${output()}`)
}
