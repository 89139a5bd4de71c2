/**
 * The gateway in one file, made of the sources once for a test run: a process that reads it starts with a third of the work of one
 * that translates 200 files. Packages from npm stay outside.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { isMutating } from '../../mutation/run/vite-plugin.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Tells `startProcess` where the file lies. Processes that run mutants are started from the sources, which the mutants replace. */
export default async function setUp(): Promise<() => void> {
  if (isMutating) return () => {}
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-gateway-'))
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  const outfile = path.join(folder, 'gateway.mjs')
  await build({
    entryPoints: [path.join(ROOT, 'scripts', 'start-from-source.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@acopay/source'],
    sourcemap: 'inline',
    plugins: [packagesStayOutside, placesStayTheirs],
  })
  process.env.ACOPAY_TEST_GATEWAY = outfile
  return () => fs.rmSync(folder, { recursive: true })
}

const packagesStayOutside: Plugin = {
  name: 'packages stay outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
      kind === 'entry-point' || name.startsWith('@acopay/') ? undefined : { path: name, external: true },
    ),
}

/** What a file finds beside itself, such as the migrations, it finds from within the one file too. */
const placesStayTheirs: Plugin = {
  name: 'places stay theirs',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const contents = fs.readFileSync(file, 'utf8')
      return {
        contents: contents.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)),
        loader: 'ts',
      }
    }),
}
