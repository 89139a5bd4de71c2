/**
 * `npm run dev`: the gateway from its sources, started again when one of them changes, and both kinds of pages with hot
 * reload. Open http://127.0.0.1:5173/console/; everything that is no page is passed on to the gateway.
 * PORT is the gateway's (8080), DEV_PORT that of the pages (5173; the cashier's own is the next one).
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createServer, defaultClientConditions } from 'vite'

const require = createRequire(import.meta.url)
const { prepare } = require('./prepare.cjs')

const ROOT = path.dirname(import.meta.dirname)
const HOST = '127.0.0.1'
const GATEWAY_PORT = Number(process.env.PORT || 8080)
const CONSOLE_PORT = Number(process.env.DEV_PORT || 5173)
const CASHIER_PORT = CONSOLE_PORT + 1
const GATEWAY = `http://${HOST}:${GATEWAY_PORT}`
const PAGES = `http://${HOST}:${CONSOLE_PORT}`
/** The address of an order's page: merchant, order, proof. */
const ORDER_PAGE = /^\/cashier\/[^/]+\/AP\d+\/[^/?]+(?:\?.*)?$/
const ORDER_JSON = /(<script type="application\/json" id="order">)([\s\S]*?)(<\/script>)/

/** The gateway puts the order into the built page; here it goes into the page that vite serves. */
const cashierPages = {
  name: 'acopay-cashier-pages',
  configureServer(server) {
    server.middlewares.use(async (request, response, next) => {
      const url = request.url ?? ''
      const isOrder = ORDER_PAGE.test(url)
      if (!isOrder && !url.startsWith('/cashier/pay')) return next()
      try {
        const page = await readFile(path.join(server.config.root, isOrder ? 'index.html' : 'pay.html'), 'utf8')
        const html = await server.transformIndexHtml(url, page)
        const built = isOrder ? await fetch(GATEWAY + url) : null
        const order = ORDER_JSON.exec((await built?.text()) ?? '')?.[2]
        if (isOrder && order === undefined) return response.writeHead(built?.status ?? 502).end('no such order')
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.end(html.replace(ORDER_JSON, (whole, begin, _none, end) => (isOrder ? begin + order + end : whole)))
      } catch (error) {
        next(error)
      }
    })
  },
}

async function pages(app, port, proxy, plugins = []) {
  const root = path.join(ROOT, 'apps', app)
  const server = await createServer({
    root,
    configFile: path.join(root, 'vite.config.ts'),
    clearScreen: false,
    plugins,
    resolve: { conditions: ['@acopay/source', ...defaultClientConditions] },
    // Pages reached through the other server still hear of changes from their own.
    server: { host: HOST, port, strictPort: true, hmr: { clientPort: port }, proxy },
  })
  await server.listen()
  return server
}

// The gateway serves the pages' built files where it is asked for them: the host script, the order in its page.
await prepare({ build: 'pages' })
const cashier = await pages('cashier', CASHIER_PORT, { '^/cashier/([^/]+/AP\\d+/[^/]+/|host.js)': GATEWAY }, [
  cashierPages,
])
const console_ = await pages('console', CONSOLE_PORT, {
  '/console/api': GATEWAY,
  '/cashier': { target: `http://${HOST}:${CASHIER_PORT}` },
  '^/(?!console(/|$)|cashier/)': GATEWAY,
})
console.log(`\n  页面 pages (hot reload)   ${PAGES}/console/   the gateway: ${GATEWAY}\n`)

const gateway = spawn(
  process.execPath,
  [
    require.resolve('tsx/cli'),
    'watch',
    '--clear-screen=false',
    '--conditions=@acopay/source',
    'scripts/start-from-source.ts',
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PORT: String(GATEWAY_PORT), ACOPAY_PUBLIC_URL: process.env.ACOPAY_PUBLIC_URL || PAGES },
  },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => gateway.kill(signal))
gateway.once('exit', async (code) => {
  await Promise.all([console_.close(), cashier.close()])
  process.exit(code ?? 0)
})
