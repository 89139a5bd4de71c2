import { defineConfig } from 'vite'
import { compressed } from './compressed.ts'
import { integrity } from './integrity.ts'
import { pageHead } from './page-head.ts'

const BASE = '/cashier/'

/** Four pages, and the host script, which shells include by a name that never changes. */
export default defineConfig({
  base: BASE,
  plugins: [pageHead(), integrity(BASE), compressed()],
  build: {
    target: 'es2020',
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        index: 'index.html',
        receipt: 'receipt.html',
        pay: 'pay.html',
        lost: 'lost.html',
        host: 'src/host/host.ts',
      },
      output: { entryFileNames: ({ name }) => (name === 'host' ? 'host.js' : 'assets/[name]-[hash].js') },
    },
  },
})
