/** A merchant's own server: it checks every notification's signature and answers as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JsonObject, notificationText, publicKeyFrom, verifyText } from '@acopay/protocol'

export type Told = Record<string, string | null>

export type Receiver = {
  url: string
  /** Every notification that arrived, in the order in which they came; a wrong signature throws where they are read. */
  told: () => Told[]
  /** What it answers from now on; a function that answers nothing never answers. */
  answer: (next: (told: Told, response: ServerResponse, request: IncomingMessage) => void) => void
  stop: () => Promise<void>
}

export const SAYS_HEARD = (_told: Told, response: ServerResponse): void => {
  response.setHeader('content-type', 'application/json; charset=utf-8').end('{"status":"SUCCESS","message":"成功"}')
}

export async function receiver(platformPublicKey: string, port = 0): Promise<Receiver> {
  const key = publicKeyFrom(platformPublicKey)
  const told: Told[] = []
  const wrong: string[] = []
  let answer: Parameters<Receiver['answer']>[0] = SAYS_HEARD
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const body = JSON.parse(text) as JsonObject
    if (!verifyText(notificationText(body), String(body.sign), key)) wrong.push(text)
    told.push(body as Told)
    answer(body as Told, response, request)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`,
    told: () => {
      if (wrong.length > 0) throw new Error(`not signed by the platform: ${wrong[0]}`)
      return told
    },
    answer: (next) => {
      answer = next
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
