/** Other programs than this Node that run JavaScript, fetched from npm when a test first wants them, in fixed versions. */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { esbuild, ROOT, run } from './packed.ts'

const CACHE = path.join(ROOT, 'node_modules/.cache/acopay-runtimes')
const { platform, arch } = process

export type Runtime = {
  name: string
  /** With its version, as npm calls it: the package of this kind of machine. */
  from: string
  /** Runs a module in `dir` that prints what its function `session` returns. */
  session: (dir: string, home: string) => Promise<string>
}

/** Prints the session of `session.mjs`. */
const PRINT = "import { session } from './session.mjs'\nconsole.log(await session())\n"

const program =
  (file: string, ...args: string[]) =>
  async (dir: string, home: string): Promise<string> => {
    const command = path.join(home, 'node_modules', file)
    chmodSync(command, 0o755)
    writeFileSync(path.join(dir, 'print.mjs'), PRINT)
    return run(command, [...args, 'print.mjs'], dir, { DENO_DIR: path.join(dir, 'deno'), DENO_NO_UPDATE_CHECK: '1' })
  }

/** In workerd, what Cloudflare's Workers run in: the module is bundled, as `wrangler` does it. */
async function inWorker(dir: string, home: string): Promise<string> {
  const contents = `import { session } from './session.mjs'
export default { fetch: async () => new Response(await session().catch((error) => error.stack)) }`
  writeFileSync(path.join(dir, 'fetch.mjs'), contents)
  await esbuild(['fetch.mjs', '--bundle', '--format=esm', '--external:node:*', '--outfile=worker.mjs'], dir)
  const { href } = new URL(`file://${path.join(home, 'node_modules/miniflare/dist/src/index.js')}`)
  writeFileSync(
    path.join(dir, 'miniflare.mjs'),
    `import miniflare from '${href}'
const compatibility = { compatibilityDate: '2026-01-01', compatibilityFlags: ['nodejs_compat'] }
const worker = new miniflare.Miniflare({ modules: true, scriptPath: 'worker.mjs', ...compatibility })
console.log(await (await worker.dispatchFetch('http://worker/')).text())
await worker.dispose()
`,
  )
  return run(process.execPath, ['miniflare.mjs'], dir)
}

const [bunArch, denoHost] = [arch === 'arm64' ? 'aarch64' : arch, platform === 'linux' ? 'linux' : platform]
const deno = `@deno/${denoHost}-${arch}${platform === 'linux' ? '-glibc' : ''}`

export const RUNTIMES: Runtime[] = [
  { name: 'Node 18', from: `node-${platform}-${arch}@18.20.8`, session: program(`node-${platform}-${arch}/bin/node`) },
  {
    name: 'Bun',
    from: `@oven/bun-${platform}-${bunArch}@1.4.5`,
    session: program(`@oven/bun-${platform}-${bunArch}/bin/bun`),
  },
  { name: 'Deno', from: `${deno}@2.9.6`, session: program(`${deno}/deno`, 'run', '--allow-all') },
  { name: 'Workers', from: 'miniflare@4.20260426.0', session: inWorker },
]

/** The folder in which the runtime lies; null where npm does not bring it to this machine. */
export async function fetched({ from }: Runtime): Promise<string | null> {
  const home = path.join(CACHE, from.replaceAll('/', '+'))
  const modules = path.join(home, 'node_modules')
  if (existsSync(modules) && readdirSync(modules).length > 0) return home
  mkdirSync(home, { recursive: true })
  writeFileSync(path.join(home, 'package.json'), '{ "private": true }')
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', from]
  return promisify(execFile)('npm', args, { cwd: home, timeout: 240_000 }).then(
    () => home,
    () => null,
  )
}
