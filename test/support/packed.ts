/** A package as its users get it: packed as the readmes say, and installed in an empty folder. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

export const ROOT = path.resolve(import.meta.dirname, '../..')

/** Standard output of a program that ends with 0. */
export const run = async (
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd, env: { ...process.env, ...env }, timeout: 240_000 })).stdout

export type Packed = { file: string; files: string[]; bytes: number }

/** Runs the package's own `prepack`. */
export async function pack(folder: string, destination: string): Promise<Packed> {
  const args = ['pack', '--workspace', folder, '--json', '--pack-destination', destination]
  const [packed] = JSON.parse(await run('npm', args, ROOT))
  const files = packed.files.map((one: { path: string }) => one.path).sort()
  return { file: path.join(destination, packed.filename), files, bytes: packed.size }
}

/** As `npm install FILE` does it in an empty project, without a registry; dependencies are those of this repository. */
export async function install({ file }: Packed, dir: string, dependencies: string[] = []): Promise<void> {
  writeFileSync(path.join(dir, 'package.json'), '{ "private": true }')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-save', '--omit=dev', file], dir)
  mkdirSync(path.join(dir, 'node_modules/@types'), { recursive: true })
  for (const name of dependencies) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name))
  }
}

export const manifestIn = (dir: string, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(dir, 'node_modules', name, 'package.json'), 'utf8'))
