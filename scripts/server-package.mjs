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

const readJson = (...parts) => JSON.parse(readFileSync(path.join(...parts), 'utf8'))

/** Every package of this repository, by its name. */
function workspaces() {
  const folders = ['packages', 'apps'].flatMap((group) =>
    readdirSync(path.join(ROOT, group)).map((name) => path.join(ROOT, group, name)),
  )
  return new Map(folders.map((folder) => [readJson(folder, 'package.json').name, folder]))
}

/** Makes the folder anew. */
export async function makeServerPackage(out) {
  await prepare({ build: 'pages' })
  const folders = workspaces()
  const manifest = publishedManifest('@acopay/server', (name) => readJson(folders.get(name), 'package.json'))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  writeFileSync(path.join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await build({
    cwd: APP,
    config: false,
    entry: { operate: 'src/operate.ts' },
    outDir: path.join(out, 'dist'),
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
  cpSync(path.join(APP, 'bin'), path.join(out, 'bin'), { recursive: true })
  chmodSync(path.join(out, 'bin', 'acopay-server.cjs'), 0o755)
  cpSync(path.join(ROOT, 'packages/store/migrations'), path.join(out, 'migrations'), { recursive: true })
  for (const name of PAGES) {
    cpSync(path.join(ROOT, 'apps', name, 'dist'), path.join(out, 'pages', name), { recursive: true })
  }
  for (const name of ['README.md', 'README.zh-CN.md']) cpSync(path.join(APP, name), path.join(out, name))
  cpSync(path.join(ROOT, 'LICENSE'), path.join(out, 'LICENSE'))
}

if (process.argv[1] === import.meta.filename) await makeServerPackage(path.join(ROOT, 'dist', 'server'))
