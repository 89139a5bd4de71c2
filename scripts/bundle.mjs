/**
 * `node scripts/bundle.mjs sdk|cli`: what is published of the SDK and of the command line, in their `dist/`. The siblings that they
 * import are bundled in, because they are not published; packages of `dependencies` stay imports. `npm pack` runs it first.
 */
import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'tsdown'

const ROOT = path.dirname(import.meta.dirname)

const PACKAGES = {
  /** ESM and CommonJS, each with types, in one file each. */
  sdk: {
    folder: 'packages/sdk',
    entry: { index: 'src/index.ts' },
    format: ['esm', 'cjs'],
    dts: { sourcemap: false },
  },
  cli: { folder: 'apps/cli', entry: { main: 'src/main.ts' }, format: ['esm'], dts: false },
}

/** Returns when the files are written. */
export async function bundle(name) {
  const { folder, ...parts } = PACKAGES[name]
  const cwd = path.join(ROOT, folder)
  const { engines } = JSON.parse(readFileSync(path.join(cwd, 'package.json'), 'utf8'))
  await build({
    cwd,
    config: false,
    outDir: 'dist',
    // What is published is listed file by file; a program that runs from here meanwhile goes on.
    clean: false,
    platform: 'node',
    target: `node${engines.node.replace('>=', '')}`,
    // The manifest says "type": "module".
    fixedExtension: false,
    deps: { alwaysBundle: [/^@acopay\//] },
    inputOptions: { resolve: { conditionNames: ['@acopay/source', 'node', 'import'] } },
    logLevel: 'error',
    ...parts,
  })
  copyFileSync(path.join(ROOT, 'LICENSE'), path.join(cwd, 'LICENSE'))
}

if (process.argv[1] === import.meta.filename) await bundle(process.argv[2])
