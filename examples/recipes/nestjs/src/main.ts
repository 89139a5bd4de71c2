import 'reflect-metadata'
import { nodeHandler } from '@acopay/sdk'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { AppModule, SHOP } from './app.module.ts'
import type { Shop } from './shop.ts'

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] })
const shop = app.get<Shop>(SHOP)
// Nest adds its JSON parser in listen(), so what is mounted here comes before it, and verifies the bytes as they came.
app.use('/acopay/notify', nodeHandler(shop.hear))
app.useBodyParser('json', { limit: '16kb' })
const { host, port } = shop.settings
await app.listen(port, host)
console.log(`商店 shop http://${host}:${port}`)
