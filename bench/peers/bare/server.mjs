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
  request.on('end', () => void answer(request.headers, text, response))
})

async function answer(headers, text, response) {
  const asked = JSON.parse(text)
  const [mch_no, nonce] = [headers['x-acopay-mch-no'], headers['x-acopay-nonce']]
  // A signature that fits costs as much as one that does not: the text is not the one that was signed.
  const signature = Buffer.from(headers['x-acopay-sign'], 'base64')
  await verified('sha256', Buffer.from(text + mch_no + nonce), publicKey, signature)
  const data = { code: 'SUCCESS', description: '关单成功', mch_no, nonce, ...asked, sign_type: 'SHA256withRSA' }
  data.sign = (await signed('sha256', Buffer.from(JSON.stringify(data)), privateKey)).toString('base64')
  const body = Buffer.from(JSON.stringify({ status: 200, message: 'success', data }))
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
    .end(body)
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
process.once('SIGTERM', () => process.exit(0))
