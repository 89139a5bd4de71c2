/**
 * `node scripts/server-package.mjs`: the package `@acopay/server` in dist/server, ready for `npm pack`: one program with its siblings
 * in it, the migrations and the built pages. What it needs from npm is in its manifest.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build } from 'tsdown'
import { publishedManifest } from './production-packages.mjs'

const { prepare, ROOT, PAGES } = createRequire(import.meta.url)('./prepare.cjs')
const APP = path.join(ROOT, 'apps/server')

export const SERVER_PACKAGE = path.join(ROOT, 'dist', 'server')

const readJson = (...parts) => JSON.parse(readFileSync(path.join(...parts), 'utf8'))

/** Every package of this repository, by its name. */
function workspaces() {
  const folders = ['packages', 'apps'].flatMap((group) =>
    readdirSync(path.join(ROOT, group)).map((name) => path.join(ROOT, group, name)),
  )
  return new Map(folders.map((folder) => [readJson(folder, 'package.json').name, folder]))
}

/** Returns when the folder is written. */
export async function makeServerPackage() {
  await prepare({ build: 'pages' })
  const folders = workspaces()
  const manifest = publishedManifest('@acopay/server', (name) => readJson(folders.get(name), 'package.json'))
  rmSync(SERVER_PACKAGE, { recursive: true, force: true })
  mkdirSync(SERVER_PACKAGE, { recursive: true })
  writeFileSync(path.join(SERVER_PACKAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await build({
    cwd: APP,
    config: false,
    entry: { operate: 'src/operate.ts' },
    outDir: path.join(SERVER_PACKAGE, 'dist'),
    format: ['esm'],
    dts: false,
    platform: 'node',
    target: `node${manifest.engines.node.replace('>=', '')}`,
    fixedExtension: false,
    deps: {
      alwaysBundle: [/^@acopay\//],
      neverBundle: Object.keys(manifest.dependencies).map((name) => new RegExp(`^${name}(?:/|$)`)),
    },
    inputOptions: { resolve: { conditionNames: ['@acopay/source', 'node', 'import'] } },
    logLevel: 'error',
  })
  cpSync(path.join(APP, 'bin'), path.join(SERVER_PACKAGE, 'bin'), { recursive: true })
  chmodSync(path.join(SERVER_PACKAGE, 'bin', 'acopay-server.cjs'), 0o755)
  cpSync(path.join(ROOT, 'packages/store/migrations'), path.join(SERVER_PACKAGE, 'migrations'), { recursive: true })
  for (const name of PAGES) {
    cpSync(path.join(ROOT, 'apps', name, 'dist'), path.join(SERVER_PACKAGE, 'pages', name), { recursive: true })
  }
  for (const name of ['README.md', 'README.zh-CN.md']) cpSync(path.join(APP, name), path.join(SERVER_PACKAGE, name))
  cpSync(path.join(ROOT, 'LICENSE'), path.join(SERVER_PACKAGE, 'LICENSE'))
}

if (process.argv[1] === import.meta.filename) await makeServerPackage()
