import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

const BUNDLE = 'redoc.standalone.js'

/** What is changed in Redoc's bundle. Each text is in it once. */
const CHANGES: [from: string, to: string][] = [
  // It loads its maker's logo from the maker's host, which would hear of every visit. The line that names Redoc stays.
  [
    '"https://cdn.redoc.ly/redoc/logo-mini.svg"',
    '"data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E"',
  ],
  // It writes its first styles before it reads the nonce that it is given, and browsers apply none without one.
  ['r.nc=void 0;', 'r.nc=document.querySelector(\'meta[name="csp-nonce"]\').content;'],
]

const changed = (code: string): string =>
  CHANGES.reduce((text, [from, to]) => {
    const parts = text.split(from)
    if (parts.length !== 2) throw new Error(`${BUNDLE} has ${from} ${parts.length - 1} times`)
    return parts.join(to)
  }, code)

/** Redoc's own bundle as a module. It is CommonJS, and requires one module that it does not use in a browser. */
const redoc: Plugin = {
  name: 'redoc',
  enforce: 'pre',
  load(id) {
    if (!id.endsWith(BUNDLE)) return null
    const code = changed(readFileSync(id, 'utf8'))
    return [
      'const module = { exports: {} }, exports = module.exports, require = () => undefined;',
      code,
      'export default module.exports',
    ].join('\n')
  },
}

export default defineConfig({
  base: '/reference/',
  plugins: [redoc],
  build: { target: 'es2022', modulePreload: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
})
