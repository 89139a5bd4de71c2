import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Below /console/; the server gives index.html to every path that is no file (docs/decisions/0013-console.md). */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: { target: 'es2022', modulePreload: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
})
