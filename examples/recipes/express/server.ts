import { readFileSync } from 'node:fs'
import { nodeHandler } from '@acopay/sdk'
import express, { type ErrorRequestHandler } from 'express'
import { openShop } from './shop.ts'

const shop = openShop()
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8')

const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  console.error(error)
  response.status(error.statusCode ?? 502).json({ error: '请稍后再试 try again later' })
}

const app = express()
// Before express.json(): the handler verifies the bytes as they came.
app.post('/acopay/notify', nodeHandler(shop.hear))
app.use(express.json({ limit: '16kb' }))
app.get('/', (_request, response) => void response.set('cache-control', 'no-store').type('html').send(page))
app.get('/thing', (_request, response) => void response.json(shop.settings.thing))
app.post('/orders', async (_request, response) => void response.status(201).json(await shop.placeOrder()))
app.get('/orders/:number', async ({ params }, response) => {
  const order = await shop.findOrder(params.number)
  response.status(order === null ? 404 : 200).json({ order })
})
app.post('/orders/:number/close', async ({ params }, response) => {
  const outcome = await shop.closeOrder(params.number)
  response.status(outcome === null ? 404 : 200).json({ outcome })
})
app.use(failed)

const { host, port } = shop.settings
app.listen(port, host, (error) => {
  if (error) throw error
  console.log(`商店 shop http://${host}:${port}`)
})
