/** Makes a checkout ready to run: installs and builds, each only when something changed since the last time. */
const { spawn } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { progress } = require('./progress.cjs')

const ROOT = path.dirname(__dirname)
const BUILD_STAMP = path.join(ROOT, 'node_modules', '.acopay-build-stamp')
const PAGES_STAMP = path.join(ROOT, 'node_modules', '.acopay-pages-stamp')
const BUILT = path.join(ROOT, 'apps', 'server', 'dist', 'main.js')
/** Apps whose pages vite builds. */
const PAGES = fs.readdirSync(path.join(ROOT, 'apps')).filter((name) => fs.existsSync(viteConfig(name)))
exports.PAGES = PAGES
exports.ROOT = ROOT

/**
 * Installs, and builds everything (`true`), only the pages (`'pages'`) or nothing (`false`). When a step fails it prints
 * what the tool said and ends the process with 1.
 */
exports.prepare = async function prepare({ build }) {
  if (!isInstalled()) {
    await step('安装依赖 installing dependencies (npm ci)', npmCommand(), [
      ...npmArguments(),
      'ci',
      '--include=dev',
      '--no-audit',
      '--no-fund',
    ])
  }
  if (build === true) await buildPrograms()
  if (build !== false) await buildPages()
}

async function buildPrograms() {
  const sources = sourcesStamp((name) => !PAGES.includes(name))
  if (read(BUILD_STAMP) === sources && fs.existsSync(BUILT)) return
  const tsc = path.join(ROOT, 'node_modules', 'typescript-native', 'bin', 'tsc')
  await step('编译 compiling (tsc -b)', process.execPath, [tsc, '-b', '--pretty', 'false'])
  await step('打包命令行 bundling the command line', process.execPath, [path.join(__dirname, 'bundle.mjs'), 'cli'])
  fs.writeFileSync(BUILD_STAMP, sources)
}

/** Vite reads what they take of packages/protocol from its sources: nothing else has to be built. */
async function buildPages() {
  const sources = sourcesStamp((name) => name === 'protocol' || PAGES.includes(name))
  const isBuilt = PAGES.every((name) => fs.existsSync(path.join(ROOT, 'apps', name, 'dist')))
  if (read(PAGES_STAMP) === sources && isBuilt) return
  for (const name of PAGES) {
    const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js')
    const args = [vite, 'build', path.join(ROOT, 'apps', name), '--config', viteConfig(name), '--logLevel', 'warn']
    await step(`编译页面 building pages (${name})`, process.execPath, args)
  }
  fs.writeFileSync(PAGES_STAMP, sources)
}

/** Whether npm installed what the lock file names; npm itself writes down what it installed. */
function isInstalled() {
  const installed = read(path.join(ROOT, 'node_modules', '.package-lock.json'))
  if (installed === null) return false
  const { packages: found } = JSON.parse(installed)
  const { packages: wanted } = JSON.parse(read(path.join(ROOT, 'package-lock.json')))
  return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
    if (name === '') return true
    if (found[name] === undefined) return optional === true
    return found[name].version === version && found[name].integrity === integrity
  })
}

function viteConfig(name) {
  return path.join(ROOT, 'apps', name, 'vite.config.ts')
}

/** The npm that started us, so that no second one from the PATH is taken. */
const npmCommand = () => (process.env.npm_execpath ? process.execPath : 'npm')
const npmArguments = () => (process.env.npm_execpath ? [process.env.npm_execpath] : [])

function step(title, command, args) {
  return new Promise((resolve) => {
    const { end } = progress(title)
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)))
    child.on('close', (code) => {
      if (code === 0) {
        end()
        return resolve()
      }
      end('失败 failed')
      process.stderr.write(Buffer.concat(output))
      process.exit(1)
    })
  })
}

const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null)

/** One hash over name, size and time of everything that building these packages and apps reads. */
function sourcesStamp(isRead) {
  const hash = createHash('sha256')
  for (const file of sourcesOf(isRead)) {
    const { mtimeMs, size } = fs.statSync(file)
    hash.update(`${path.relative(ROOT, file)} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

/** What a build reads of a package or an app. */
const PARTS = [
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
  'index.html',
  'pay.html',
  'lost.html',
  'src',
  'migrations',
]

function sourcesOf(isRead) {
  const configs = fs.readdirSync(ROOT).filter((name) => /^tsconfig.*\.json$/.test(name))
  const folders = ['packages', 'apps'].flatMap((group) => {
    const names = fs.readdirSync(path.join(ROOT, group)).filter(isRead)
    return names.sort().map((name) => path.join(ROOT, group, name))
  })
  const parts = folders.flatMap((folder) => PARTS.map((part) => path.join(folder, part)))
  return [...configs.sort().map((name) => path.join(ROOT, name)), ...parts.filter(fs.existsSync).flatMap(filesIn)]
}

/** The file itself, or every file below the folder, tests left out. */
function filesIn(full) {
  if (!fs.statSync(full).isDirectory()) return [full]
  const entries = fs.readdirSync(full, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries
    .filter((entry) => entry.isDirectory() || !/\.test\.tsx?$/.test(entry.name))
    .flatMap((entry) => filesIn(path.join(full, entry.name)))
}
