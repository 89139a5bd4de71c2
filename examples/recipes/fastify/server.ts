import { fastifyPlugin } from '@acopay/sdk'
import fastify from 'fastify'
import { openShop } from './shop.ts'

type ByNumber = { Params: { number: string } }

const shop = openShop()
const app = fastify({ logger: { level: 'warn' }, bodyLimit: 16 * 1024 })
// In a scope of its own without parsers: the handler verifies the bytes as they came. The other routes keep their parsers.
app.register(fastifyPlugin(shop.hear, '/acopay/notify'))
app.post('/orders', async (_request, reply) => reply.code(201).send(await shop.placeOrder()))
app.get<ByNumber>('/orders/:number', async ({ params }, reply) => {
  const order = await shop.findOrder(params.number)
  return reply.code(order === null ? 404 : 200).send({ order })
})
app.post<ByNumber>('/orders/:number/close', async ({ params }, reply) => {
  const outcome = await shop.closeOrder(params.number)
  return reply.code(outcome === null ? 404 : 200).send({ outcome })
})
app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
  request.log.error(error)
  return reply.code(error.statusCode ?? 502).send({ error: '请稍后再试 try again later' })
})

const { host, port } = shop.settings
await app.listen({ host, port })
console.log(`商店 shop http://${host}:${port}`)
