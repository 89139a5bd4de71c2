import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

/** Below /console/; the server gives index.html to every path that is no file (docs/decisions/0013-console.md). */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  // What it takes of packages/protocol is read from the sources, so that pages are built before or without the rest.
  resolve: { conditions: ['@acopay/source', ...defaultClientConditions] },
  build: { target: 'es2022', modulePreload: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
})
