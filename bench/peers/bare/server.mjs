/**
 * The floor of a gateway on Node's HTTP server: it reads a request, verifies one signature, signs one answer, both on the thread pool, and
 * does nothing else. What it says about the request is always the same.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { promisify } from 'node:util'

const [signed, verified] = [promisify(sign), promisify(verify)]
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKey = createPublicKey({ key: Buffer.from(process.env.MERCHANT_KEY, 'base64'), format: 'der', type: 'spki' })

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => {
    text += chunk
  })
  request.on('end', () => void answer(text, response))
})

async function answer(text, response) {
  const asked = JSON.parse(text)
  // Whether it fits or not costs the same.
  await verified('sha256', Buffer.from(text), publicKey, Buffer.from(asked.sign, 'base64'))
  const data = { code: 'SUCCESS', description: '成功', mch_no: asked.mch_no, nonce: asked.nonce, sign_type: 'RSA' }
  data.sign = (await signed('sha256', Buffer.from(JSON.stringify(data)), privateKey)).toString('base64')
  const body = Buffer.from(JSON.stringify({ status: 200, message: 'success', data }))
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
    .end(body)
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
process.once('SIGTERM', () => process.exit(0))
