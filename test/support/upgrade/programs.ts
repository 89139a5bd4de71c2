/** Several versions of the gateway beside each other: each is made of the sources of a commit, or of this checkout, as one file. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin, stop } from 'esbuild'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const MIGRATIONS = 'packages/store/migrations'
const PARTS = ['packages', 'apps', 'package.json', 'tsconfig.base.json']

/** What each can be started as. */
const ENTRIES = {
  gateway: `import { main } from './apps/server/src/main.ts'\nawait main({ env: process.env, defaultHome: '' })\n`,
  // Only of the old version, 0.1.0, whose commands were functions.
  seed: `import * as commands from './apps/server/src/commands/seed-orders.ts'
await commands.seedOrders(process.env, '', Number(process.argv[2]), console.log)\n`,
  // Versions before 0.2.0 have another `migrate`: their gateways migrate when they start.
  migrate: `import * as commands from './apps/server/src/commands/migrate.ts'
process.exitCode = await commands.migrate.run(process.argv.slice(2), { env: process.env, defaultHome: '', say: console.log })\n`,
}

/** The path of the file for each. */
export type Program = Record<keyof typeof ENTRIES, string>

/**
 * Everything below `folder`, which the caller removes. Packages from npm are those of this checkout: what is tried is the gateway's own
 * code on the database.
 */
export async function programOf(source: { commit: string } | 'this' | { added: string[] }, folder: string) {
  fs.mkdirSync(folder, { recursive: true })
  const tree = path.join(folder, 'tree')
  if (source === 'this' || 'added' in source) copyThis(tree)
  else unpack(source.commit, tree)
  if (source !== 'this' && 'added' in source) addMigrations(path.join(tree, MIGRATIONS), source.added)
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  const program = {} as Program
  for (const [name, text] of Object.entries(ENTRIES)) {
    const outfile = path.join(folder, `${name}.mjs`)
    program[name as keyof Program] = outfile
    await build({
      stdin: { contents: text, resolveDir: tree, loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      sourcemap: 'inline',
      logLevel: 'error',
      plugins: [packagesOf(tree), placesStayTheirs],
    })
  }
  // Else its process would be left behind.
  await stop()
  return program
}

function copyThis(tree: string): void {
  const isCopied = (file: string): boolean => !/[\\/](?:node_modules|dist)$/.test(file)
  for (const part of PARTS) {
    fs.cpSync(path.join(ROOT, part), path.join(tree, part), { recursive: true, filter: isCopied })
  }
}

function unpack(commit: string, tree: string): void {
  fs.mkdirSync(tree, { recursive: true })
  const archive = execFileSync('git', ['archive', commit, ...PARTS], { cwd: ROOT, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', tree], { input: archive })
}

function addMigrations(folder: string, texts: string[]): void {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.sql'))
  for (const [index, text] of texts.entries()) {
    const number = String(names.length + 1 + index).padStart(4, '0')
    fs.writeFileSync(path.join(folder, `${number}-trial.sql`), text)
  }
}

/** The workspace's own packages come from the tree; all others stay outside. */
const packagesOf = (tree: string): Plugin => ({
  name: 'packages of a tree',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) => {
      if (kind === 'entry-point') return undefined
      const [, own, door] = /^@acopay\/([^/]+)(\/.+)?$/.exec(name) ?? []
      if (own === undefined) return { path: name, external: true }
      const folder = path.join(tree, 'packages', own)
      const { exports } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
      return { path: path.join(folder, exports[`.${door ?? ''}`]['@acopay/source']) }
    }),
})

/** What a file finds beside itself, such as the migrations, it finds from within the one file too. */
const placesStayTheirs: Plugin = {
  name: 'places stay theirs',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: fs
        .readFileSync(file, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
        .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file))),
      loader: 'ts',
    })),
}
