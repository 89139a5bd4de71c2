import { nodeHandler } from '@acopay/sdk'
import Router from '@koa/router'
import Koa from 'koa'
import { openShop } from './shop.ts'

const shop = openShop()
const hear = nodeHandler(shop.hear)

const router = new Router()
// The handler verifies the bytes as they came, and answers itself. Mount a body parser on the routes that need it, not on all.
router.post('/acopay/notify', async (context) => {
  context.respond = false
  await hear(context.req, context.res)
})
router.post('/orders', async (context) => {
  context.body = await shop.placeOrder()
  context.status = 201
})
router.get('/orders/:number', async (context) => {
  const order = await shop.findOrder(context.params.number ?? '')
  context.body = { order }
  context.status = order === null ? 404 : 200
})
router.post('/orders/:number/close', async (context) => {
  const outcome = await shop.closeOrder(context.params.number ?? '')
  context.body = { outcome }
  context.status = outcome === null ? 404 : 200
})

const app = new Koa()
app.use(async (context, next) => {
  try {
    await next()
  } catch (error) {
    console.error(error)
    context.body = { error: '请稍后再试 try again later' }
    context.status = 502
  }
})
app.use(router.routes())

const { host, port } = shop.settings
app.listen(port, host, () => console.log(`商店 shop http://${host}:${port}`))
