/** Another version of Node, as npm has it, in a folder that git ignores. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'

const PLACE = path.join(import.meta.dirname, 'results', 'node')

/** The program; throws where npm cannot bring it. */
export function nodeProgram(version: string, step: (text: string) => void): string {
  const name = `node-${process.platform}-${process.arch}`
  const folder = path.join(PLACE, version)
  const program = path.join(folder, 'node_modules', name, 'bin', 'node')
  if (existsSync(program)) return program
  step(`npm brings ${name}@${version} …`)
  mkdirSync(folder, { recursive: true })
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const args = ['install', '--prefix', folder, ...quiet, `${name}@${version}`]
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
  if (status !== 0 || !existsSync(program)) throw new Error(`--node: npm cannot bring ${name}@${version}: ${stderr}`)
  return program
}
