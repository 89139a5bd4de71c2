/**
 * What others' code we ship. `npm run sbom [-- FILE]` writes the list (CycloneDX); `npm run check:supply` checks the lockfile, the
 * licences and the known holes of everything in it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.join(import.meta.dirname, '..')

/** Licences that ask for nothing but their own text. */
const LICENSES = new Set([
  'MIT',
  // MIT without the duty to name its authors.
  'MIT-0',
  'Apache-2.0',
  'ISC',
  'BlueOak-1.0.0',
  '0BSD',
  'Unlicense',
  'BSD-2-Clause',
  'BSD-3-Clause',
])

/** npm's own list, without what only tests and builds use. */
export function sbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev']
  return execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

/**
 * What is wrong with a lockfile: packages whose bytes are not fixed, or that run code at their installation without being
 * named in package.json's `allowScripts`.
 */
export function lockfileProblems(lock, { allowScripts = {} }) {
  const problems = lock.lockfileVersion === 3 ? [] : [`lockfileVersion is ${lock.lockfileVersion} and not 3`]
  const allowed = new Set(Object.keys(allowScripts).map((name) => name.split('/')[0] + (name.includes('/') ? '/' : '')))
  for (const [place, entry] of Object.entries(lock.packages ?? {})) {
    if (entry.link === true || !place.includes('node_modules/')) continue
    if (!/^sha512-/.test(entry.integrity ?? '')) problems.push(`${place} has no sha512 digest`)
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
    // One package of a scope is installed on one kind of machine, its sisters on others.
    const isAllowed = allowed.has(name) || allowed.has(`${name.split('/')[0]}/`)
    if (entry.hasInstallScript === true && !isAllowed) problems.push(`${place} runs code when it is installed`)
  }
  return problems
}

/** Dependencies whose version may be another one tomorrow. */
export function looseVersions(manifest) {
  const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies]
  return groups
    .flatMap((group) => Object.entries(group ?? {}))
    .filter(([, version]) => !/^(npm:(@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${manifest.name}: ${name} ${version} is no exact version`)
}

/** Components of a CycloneDX list under a licence that nobody has agreed to. Our own have none of others. */
export function licenseProblems({ components }) {
  return components
    .filter(({ purl }) => !purl.startsWith('pkg:npm/%40acopay/'))
    .map(({ name, version, licenses = [] }) => ({ name: `${name}@${version}`, ids: licenses.map(idOf) }))
    .filter(({ ids }) => ids.length === 0 || !ids.every(isAgreed))
    .map(({ name, ids }) => `${name} is under ${ids.join(', ') || 'no licence that it names'}`)
}

const idOf = ({ license, expression }) => expression ?? license?.id ?? license?.name ?? 'an unnamed licence'

/** `(MIT OR GPL-2.0)` is agreed: we take the first. */
const isAgreed = (text) =>
  text
    .replace(/[()]/g, '')
    .split(/ OR /)
    .some((choice) => choice.split(/ AND /).every((id) => LICENSES.has(id.trim())))

/** What `npm audit --json` says: the holes worth a red line, or null where the registry keeps no list. */
export function advisoryProblems(audit) {
  if (audit.vulnerabilities === undefined) return null
  return Object.values(audit.vulnerabilities)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, severity, range }) => `${name} ${range}: ${severity}`)
}

function audited() {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: ROOT, encoding: 'utf8' })
  try {
    return JSON.parse(stdout)
  } catch {
    return {}
  }
}

const jsonOf = (file) => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'))

function check() {
  const manifest = jsonOf('package.json')
  const lock = jsonOf('package-lock.json')
  const workspaces = Object.keys(lock.packages).filter((place) => place !== '' && !place.includes('node_modules/'))
  const manifests = [manifest, ...workspaces.map((place) => jsonOf(`${place}/package.json`))]
  const list = JSON.parse(sbom())
  const advisories = advisoryProblems(audited())
  const problems = [
    ...lockfileProblems(lock, manifest),
    ...manifests.flatMap(looseVersions),
    ...licenseProblems(list),
    ...(advisories ?? []),
  ]
  for (const problem of problems) console.error(`✗ ${problem}`)
  const packages = Object.keys(lock.packages).filter((place) => place.includes('node_modules/')).length
  console.log(
    `${packages} packages in the lockfile, ${list.components.length} of them shipped; ${problems.length} problems`,
  )
  if (advisories === null) console.log('SKIPPED known holes: this registry answers no npm audit')
  return problems.length === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, file = 'sbom.cdx.json'] = process.argv.slice(2)
  if (what === 'sbom') {
    const from = process.env.INIT_CWD ?? process.cwd()
    writeFileSync(path.resolve(from, file), sbom())
    console.log(`${file}: CycloneDX`)
  } else if (!check()) process.exit(1)
}
