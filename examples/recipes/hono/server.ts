import { honoHandler } from '@acopay/sdk'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { openShop } from './shop.ts'

const shop = openShop()
const app = new Hono()
// It verifies the bytes as they came, and reads no more of them than its own limit.
app.post('/acopay/notify', honoHandler(shop.hear))
app.use(bodyLimit({ maxSize: 16 * 1024 }))
app.post('/orders', async (context) => context.json(await shop.placeOrder(), 201))
app.get('/orders/:number', async (context) => {
  const order = await shop.findOrder(context.req.param('number'))
  return context.json({ order }, order === null ? 404 : 200)
})
app.post('/orders/:number/close', async (context) => {
  const outcome = await shop.closeOrder(context.req.param('number'))
  return context.json({ outcome }, outcome === null ? 404 : 200)
})
app.onError((error, context) => {
  if (error instanceof HTTPException) return error.getResponse()
  console.error(error)
  return context.json({ error: '请稍后再试 try again later' }, 502)
})

const { host: hostname, port } = shop.settings
serve({ fetch: app.fetch, hostname, port }, () => console.log(`商店 shop http://${hostname}:${port}`))
