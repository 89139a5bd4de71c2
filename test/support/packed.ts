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

/** The program of this name; its library would leave a process behind. */
export const esbuild = (args: string[], cwd: string): Promise<string> =>
  run(path.join(ROOT, 'node_modules/esbuild/bin/esbuild'), args, cwd)

export type Packed = { file: string; files: string[]; bytes: number }

/** Runs the package's own `prepack`. */
export async function pack(folder: string, destination: string): Promise<Packed> {
  const args = ['pack', '--workspace', folder, '--json', '--pack-destination', destination]
  const [packed] = JSON.parse(await run('npm', args, ROOT))
  const files = packed.files.map((one: { path: string }) => one.path).sort()
  return { file: path.join(destination, packed.filename), files, bytes: packed.size }
}

/**
 * As `npm install FILE` does it in an empty project, without a registry: what the package depends on is linked from here, and so are
 * the `others` that a test's own programs import.
 */
export async function install({ file }: Packed, dir: string, others: string[] = []): Promise<void> {
  writeFileSync(path.join(dir, 'package.json'), '{ "private": true }')
  const { dependencies = {} } = JSON.parse(await run('tar', ['xzOf', file, 'package/package.json'], dir))
  const here = Object.keys(dependencies).map((name) => path.join(ROOT, 'node_modules', name))
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-save', file, ...here], dir)
  mkdirSync(path.join(dir, 'node_modules/@types'), { recursive: true })
  for (const name of others) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name))
  }
}

export const manifestIn = (dir: string, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(dir, 'node_modules', name, 'package.json'), 'utf8'))
