/** A keep-alive HTTP/1.1 connection that sends ready-made bytes, so that the load generator uses little CPU. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Connection = {
  /** Sends one whole request and resolves with the body of its answer. */
  ask: (request: Buffer) => Promise<string>
  end: () => void
}

const HEAD_END = Buffer.from('\r\n\r\n')

export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let received: Buffer = Buffer.alloc(0)
  let waiting: { resolve: (body: string) => void; reject: (error: Error) => void } | null = null
  const fail = (error: Error): void => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const headEnd = received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, headEnd))?.[1])
    const end = headEnd + HEAD_END.length + length
    if (!(received.length >= end)) return
    const body = received.toString('utf8', headEnd + HEAD_END.length, end)
    received = received.subarray(end)
    waiting?.resolve(body)
  })
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    end: () => socket.destroy(),
  }
}
