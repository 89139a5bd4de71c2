/**
 * A payment service as a good team would write it in a day, with Express and Prisma: orders are created and closed by requests that the
 * merchant signs, each nonce counts once, every answer is signed, and what was acknowledged is on the disk. It knows no payments: it
 * has less to do than the gateway. The texts that are signed are the gateway's.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import express from 'express'
import client from './client/index.js'

const signOnThreadPool = promisify(sign)
/** The default of 2 s refuses callers while a machine is busy. */
const PATIENCE_MS = 30_000
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 16 })
const prisma = new client.PrismaClient({ adapter, transactionOptions: { maxWait: PATIENCE_MS, timeout: PATIENCE_MS } })
const platformKey = createPrivateKey({
  key: Buffer.from(process.env.PLATFORM_KEY, 'base64'),
  format: 'der',
  type: 'pkcs8',
})
const SIGN_TYPE = 'SHA256withRSA'
const NOT_UNIQUE = 'P2002'

class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** JSON with sorted names and without nulls. Every value here is a text or a flat object. */
function canonical(value) {
  if (typeof value !== 'object') return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .filter((name) => value[name] !== null && value[name] !== undefined)
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
  return `{${members.join(',')}}`
}

const publicKeys = new Map()
function publicKeyOf(text) {
  const known = publicKeys.get(text)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  publicKeys.set(text, key)
  return key
}

/** Who calls; throws where the signature is not the merchant's. */
async function identify(request) {
  const merchantNo = request.get('x-acopay-mch-no') ?? ''
  const nonce = request.get('x-acopay-nonce') ?? ''
  const merchant = await prisma.merchant.findUnique({ where: { number: merchantNo } })
  if (merchant === null || !merchant.enabled) throw new Refused(1001, 'no such merchant')
  const text = canonical({ ...request.body, mch_no: merchantNo, nonce, sign_type: SIGN_TYPE })
  const signature = Buffer.from(request.get('x-acopay-sign') ?? '', 'base64')
  if (!verify('RSA-SHA256', Buffer.from(text), publicKeyOf(merchant.publicKey), signature)) {
    throw new Refused(1002, 'the signature is wrong')
  }
  return { merchantNo, nonce }
}

/** The nonce and the work, both or neither. */
async function once({ merchantNo, nonce }, work) {
  try {
    return await prisma.$transaction(async (transaction) => {
      await transaction.nonce.create({ data: { merchantNo, nonce } })
      return work(transaction)
    })
  } catch (error) {
    if (error.code === NOT_UNIQUE) throw new Refused(1016, 'this nonce or number was used before')
    throw error
  }
}

async function place(caller, body) {
  const { mch_trade_no: tradeNo, description, amount_total: amount, amount_currency: currency } = body
  if (!/^\d{1,7}\.\d\d$/.test(amount ?? '')) throw new Refused(1010, 'amount_total')
  if (typeof tradeNo !== 'string' || typeof description !== 'string') throw new Refused(1010, 'mch_trade_no')
  const number = `PL${Date.now()}${randomBytes(12).toString('hex')}`
  const { merchantNo } = caller
  await once(caller, async (transaction) => {
    const amountFen = BigInt(amount.replace('.', ''))
    const data = { merchantNo, number, tradeNo, description, amountFen, currency, state: 'NOTPAY' }
    await transaction.order.create({ data })
    await transaction.change.create({ data: { merchantNo, number, state: 'NOTPAY' } })
  })
  return {
    code: 'SUCCESS',
    transaction_no: number,
    mch_trade_no: tradeNo,
    cashier_url: `https://pay.example.com/${number}`,
  }
}

async function close(caller, { transaction_no: number }) {
  const { merchantNo } = caller
  return once(caller, async (transaction) => {
    const where = { merchantNo, number, state: 'NOTPAY' }
    const { count } = await transaction.order.updateMany({ where, data: { state: 'CLOSED' } })
    if (count === 0) throw new Refused(1020, 'the order is absent or cannot be closed')
    await transaction.change.create({ data: { merchantNo, number, state: 'CLOSED' } })
    return { code: 'CLOSED', description: '关单成功', transaction_no: number }
  })
}

async function signed(envelope, { merchantNo, nonce }) {
  const data = { ...envelope.data, mch_no: merchantNo, nonce, sign_type: SIGN_TYPE }
  const signature = await signOnThreadPool('RSA-SHA256', Buffer.from(canonical({ ...envelope, data })), platformKey)
  return { ...envelope, data: { ...data, sign: signature.toString('base64') } }
}

const handle = (work) => async (request, response) => {
  let caller = null
  try {
    caller = await identify(request)
    const data = await work(caller, request.body)
    response.json(await signed({ status: 200, message: 'SUCCESS', fieldErrors: null, data }, caller))
  } catch (error) {
    const { status, message } = error instanceof Refused ? error : { status: 1500, message: 'SYSTEM_ERROR' }
    if (status === 1500) console.error(error)
    const envelope = { status, message, fieldErrors: null, data: null }
    response.json(caller === null ? envelope : await signed(envelope, caller))
  }
}

const app = express()
app.disable('x-powered-by')
app.disable('etag')
app.use(express.json({ limit: '64kb' }))
app.post('/pay/v1/transactions/trade', handle(place))
app.post('/pay/v1/transactions/close', handle(close))
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
})
// As behind a balancer, which keeps its connections.
server.keepAliveTimeout = 120_000
process.on('SIGTERM', () => process.exit(0))
