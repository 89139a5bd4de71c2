/**
 * `node scripts/release.mjs [--dry-run]`: publishes the SDK, the command line, the server and `npm create acopay` to npm, with
 * provenance: which commit and which workflow run each tarball comes from. Only a workflow of GitHub can attest that, so without
 * `--dry-run` it runs there (.github/workflows/release.yml). `--dry-run` packs them and says what would be published; it sends nothing.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeServerPackage } from './server-package.mjs'

const ROOT = path.dirname(import.meta.dirname)
/** In the order in which they are published: what `npm create acopay` makes needs the SDK. The server's is made for it (server-package.mjs). */
const FOLDERS = ['packages/sdk', 'apps/cli', 'dist/server', 'packages/create-acopay']
const SOURCES = { 'dist/server': 'apps/server' }

const manifestPath = (folder) => path.join(ROOT, folder, 'package.json')
const manifestOf = (folder) => JSON.parse(readFileSync(manifestPath(folder), 'utf8'))

/**
 * Why this must not be published; empty when nothing speaks against it. `tag` is the git tag, `v1.2.3`; null in a dry run.
 * @param {{ name: string, version: string, private?: boolean, dependencies?: Record<string, string> }[]} manifests
 * @param {string | null} tag
 */
export function objections(manifests, tag) {
  const [{ version: first }] = manifests
  return manifests.flatMap(({ name, version, private: isPrivate, dependencies = {} }) => [
    ...(version === first ? [] : [`${name} is ${version}, and ${manifests[0].name} is ${first}`]),
    ...(tag === null || tag === `v${version}` ? [] : [`the tag is ${tag}, and ${name} is ${version}`]),
    ...(isPrivate ? [`${name} is private`] : []),
    ...Object.keys(dependencies)
      .filter((other) => other.startsWith('@acopay/'))
      .map((other) => `${name} depends on ${other}, which is not published`),
  ])
}

/** The registry compares the manifest's repository with the one that the workflow ran in. */
function nameRepository(folder, { GITHUB_SERVER_URL = 'https://github.com', GITHUB_REPOSITORY }) {
  const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`
  const manifest = { ...manifestOf(folder), repository: { type: 'git', url, directory: SOURCES[folder] ?? folder } }
  writeFileSync(manifestPath(folder), `${JSON.stringify(manifest, null, 2)}\n`)
}

async function release(isDry, env) {
  await makeServerPackage(path.join(ROOT, 'dist/server'))
  const found = objections(FOLDERS.map(manifestOf), isDry ? null : (env.GITHUB_REF_NAME ?? 'missing'))
  if (found.length > 0) throw new Error(`不能发布 not to be published:\n  ${found.join('\n  ')}`)
  if (!isDry && env.GITHUB_REPOSITORY === undefined) {
    throw new Error('发布只在工作流中进行，先用 --dry-run (publishing is done by the workflow; try --dry-run)')
  }
  const out = mkdtempSync(path.join(tmpdir(), 'acopay-release-'))
  try {
    for (const folder of FOLDERS) {
      if (!isDry) nameRepository(folder, env)
      const cwd = path.join(ROOT, folder)
      const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', out], { cwd, encoding: 'utf8' })
      const [{ id, filename, size, files, shasum }] = JSON.parse(packed)
      console.log(`${id}  ${size} bytes  ${files.length} files  ${shasum}`)
      for (const file of files) console.log(`  ${file.path}  ${file.size}`)
      const publish = ['publish', path.join(out, filename), '--provenance', '--access', 'public']
      if (!isDry) execFileSync('npm', publish, { cwd: ROOT, stdio: 'inherit' })
      else console.log(`未发送 not sent: npm ${publish.with(1, filename).join(' ')}`)
    }
  } finally {
    rmSync(out, { recursive: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    await release(process.argv.includes('--dry-run'), process.env)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
