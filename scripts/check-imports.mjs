/**
 * Holds of docs/ARCHITECTURE.md what Biome's rules cannot say: which package may import which sibling (a workspace lets a
 * package import one that it does not declare), that core is pure, who reads the environment, how long files may be.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Imports point down this list, never up, never sideways. */
const MAY_IMPORT = {
  'packages/core': [],
  'packages/protocol': [],
  'packages/embedded-postgres': [],
  'packages/store': ['core'],
  'packages/channels': ['core'],
  'packages/upstreams': [],
  'packages/sdk': ['protocol'],
  'apps/server': ['core', 'protocol', 'store', 'channels', 'embedded-postgres'],
  'apps/console': [],
  'apps/cashier': [],
  'apps/cli': ['sdk'],
}
const SIBLING_TYPES_ONLY = { 'apps/console': ['protocol'], 'apps/cashier': ['protocol'] }
/** Parts of siblings that run in a browser unchanged. */
const IN_A_BROWSER = { 'apps/console': ['@acopay/protocol/canonical', '@acopay/protocol/console'] }
const SANDBOX = /^apps\/server\/src\/sandbox\//
const READS_ENVIRONMENT = /^(?:apps|packages)\/[^/]+\/src\/(?:main|world)\.ts$/
const IMPURE =
  /\b(?:Date\.now|Math\.random|process|performance|setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\b|\bnew Date\(\s*\)/
const VAGUE_FOLDERS = ['utils', 'common', 'helpers', 'shared', 'lib']
const LINES_MAX = 300
/** Tables of texts may be longer: a reader looks up a row. */
const LONG_TABLES = new Set([
  'apps/console/src/texts.zh.ts',
  'apps/console/src/texts.en.ts',
  'apps/server/src/start/settings.ts',
  // `npm run record` writes it.
  'packages/protocol/src/openapi/recorded.ts',
])

/**
 * Returns `file:line rule`, one for each violation. Paths are relative to the repository, with forward slashes.
 * @param {{ path: string, text: string }[]} files
 * @returns {string[]}
 */
export function violations(files) {
  return [
    ...files.flatMap(vagueFolders),
    ...files
      .filter(({ path }) => isSource(path))
      .flatMap((file) => [
        ...tooLong(file),
        ...impureCore(file),
        ...environment(file),
        ...importsOf(file).flatMap((line) =>
          wrongImport(file, line).map((rule) => `${file.path}:${line.number} ${rule}`),
        ),
      ]),
  ]
}

const isSource = (file) =>
  /^(?:packages|apps)\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file) && !file.endsWith('.d.ts')

const packageOf = (file) => file.split('/').slice(0, 2).join('/')

function vagueFolders({ path: file }) {
  const folder = file
    .split('/')
    .slice(0, -1)
    .find((name) => VAGUE_FOLDERS.includes(name))
  return folder === undefined ? [] : [`${file}:1 a folder is named after what is in it, not "${folder}"`]
}

function tooLong({ path: file, text }) {
  const lines = text.replace(/\n$/, '').split('\n').length
  if (lines <= LINES_MAX || LONG_TABLES.has(file)) return []
  return [`${file}:${LINES_MAX + 1} a file has at most ${LINES_MAX} lines, this one has ${lines}`]
}

function impureCore({ path: file, text }) {
  if (packageOf(file) !== 'packages/core') return []
  return wordsFound(text, IMPURE).map(({ word, number }) => `${file}:${number} core is pure: no ${word}`)
}

function environment({ path: file, text }) {
  if (READS_ENVIRONMENT.test(file)) return []
  const rule = 'only main.ts and world.ts read process.env'
  return wordsFound(text, /\bprocess\.env\b/).map(({ number }) => `${file}:${number} ${rule}`)
}

function wordsFound(text, pattern) {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => {
      const word = pattern.exec(line)?.[0]
      return word === undefined ? [] : [{ word, number: index + 1 }]
    })
}

/** Comments become blanks, so that every line keeps its number; strings are skipped, since an address contains //. */
const withoutComments = (text) =>
  text.replace(
    /(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (match, comment) => (comment === undefined ? match : comment.replace(/[^\n]/g, ' ')),
  )

/** Static, re-exporting, bare and dynamic imports; also `import type` and `import('…')` in a type. */
function importsOf({ text }) {
  const code = withoutComments(text)
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"`])([^'"`\n$]+)\1/g)
  return Array.from(found, (match) => {
    const before = code.slice(0, match.index)
    const keyword = before.slice(Math.max(before.lastIndexOf('import'), before.lastIndexOf('export')))
    return {
      target: match[2],
      isType: match[0].startsWith('from') && /^(?:import|export)\s+type\b/.test(keyword),
      number: code.slice(0, match.index + match[0].length).split('\n').length,
    }
  })
}

/** The rules that one import breaks. */
function wrongImport({ path: file }, { target, isType }) {
  const own = packageOf(file)
  if (target.startsWith('.')) return wrongRelative(file, path.posix.join(path.posix.dirname(file), target))
  const sibling = /^@acopay\/([^/]+)/.exec(target)?.[1]
  if (sibling === undefined) return own === 'packages/core' ? [`core imports nothing, not even ${target}`] : []
  if (MAY_IMPORT[own]?.includes(sibling)) return []
  if (IN_A_BROWSER[own]?.includes(target)) return []
  if (SIBLING_TYPES_ONLY[own]?.includes(sibling)) return isType ? [] : [`${own} imports only types of ${sibling}`]
  if (own === 'apps/server' && sibling === 'upstreams') {
    return SANDBOX.test(file) ? [] : ['only the sandbox files of the server import upstreams']
  }
  return [`${own} does not import ${sibling}`]
}

function wrongRelative(file, target) {
  const own = packageOf(file)
  if (packageOf(target) !== own) return ['a relative import stays in its own package']
  const [from, to] = [file, target].map((name) => folderInSource(name))
  if (target === 'apps/server/src/main.ts' && file !== 'apps/server/src/operate.ts') {
    return ['only operate.ts imports main.ts']
  }
  if (own === 'packages/channels' && from !== null && to !== null && from !== to) {
    return [`the channel ${from} does not import the channel ${to}`]
  }
  return []
}

/** Null for a file that lies directly in src/. */
const folderInSource = (file) => /^[^/]+\/[^/]+\/src\/([^/]+)\//.exec(file)?.[1] ?? null

function filesBelow(root, folder) {
  const entries = fs.existsSync(path.join(root, folder))
    ? fs.readdirSync(path.join(root, folder), { withFileTypes: true })
    : []
  return entries.flatMap((entry) => {
    const name = `${folder}/${entry.name}`
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(root, name)
    return [{ path: name, text: isSource(name) ? fs.readFileSync(path.join(root, name), 'utf8') : '' }]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.dirname(import.meta.dirname)
  const found = ['packages', 'apps', 'simulation', 'races', 'test', 'bench', 'scripts', 'mutation'].flatMap((name) =>
    filesBelow(root, name),
  )
  const broken = violations(found)
  for (const line of broken) console.log(line)
  process.exit(broken.length > 0 ? 1 : 0)
}
