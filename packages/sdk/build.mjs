/**
 * Builds what is published, in `package/`: ESM, CJS and types in one file each, with the contract bundled in, a
 * manifest without dependencies, the readme and the licence. `npm publish packages/sdk/package` sends it.
 */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'tsdown'

const HERE = import.meta.dirname
const OUT = path.join(HERE, 'package')
const { name, version, description, license } = JSON.parse(readFileSync(path.join(HERE, 'package.json'), 'utf8'))

rmSync(OUT, { recursive: true, force: true })
await build({
  cwd: HERE,
  config: false,
  entry: { index: 'src/index.ts' },
  outDir: OUT,
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  fixedExtension: true,
  dts: { sourcemap: false },
  deps: { alwaysBundle: [/^@acopay\//] },
  inputOptions: { resolve: { conditionNames: ['@acopay/source', 'node', 'import'] } },
  logLevel: 'error',
})
const manifest = {
  name,
  version,
  description,
  license,
  engines: { node: '>=20.19' },
  type: 'module',
  exports: {
    '.': {
      import: { types: './index.d.mts', default: './index.mjs' },
      require: { types: './index.d.cts', default: './index.cjs' },
    },
  },
  main: './index.cjs',
  types: './index.d.cts',
  sideEffects: false,
}
writeFileSync(path.join(OUT, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
copyFileSync(path.join(HERE, 'README.md'), path.join(OUT, 'README.md'))
copyFileSync(path.join(HERE, '../../LICENSE'), path.join(OUT, 'LICENSE'))
