/** A keep-alive HTTP/1.1 connection that sends ready-made bytes, so that the load generator uses little CPU. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Connection = {
  /** Sends one whole request and resolves with the body of its answer. */
  ask: (request: Buffer) => Promise<string>
  /** Bytes that went either way so far. */
  bytes: () => number
  end: () => void
}

const HEAD_END = Buffer.from('\r\n\r\n')

type Waiting = { resolve: (body: string) => void; reject: (error: Error) => void }

export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  let received: Buffer = Buffer.alloc(0)
  let waiting: Waiting | null = null
  let bytesBefore = 0

  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = null
  }
  const hear = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const headEnd = received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, headEnd))?.[1])
    if (Number.isNaN(length)) {
      fail(new Error(`no content-length: ${received.toString('utf8')}`))
      return
    }
    const end = headEnd + HEAD_END.length + length
    if (received.length < end) return
    const body = received.toString('utf8', headEnd + HEAD_END.length, end)
    received = received.subarray(end)
    const { resolve } = waiting ?? { resolve: () => {} }
    waiting = null
    resolve(body)
  }
  const open = async (): Promise<Socket> => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(opened, 'connect')
    opened.on('error', fail).on('data', hear)
    opened.on('close', () => fail(new Error('the server closed the connection')))
    return opened
  }

  let socket = await open()
  return {
    async ask(request) {
      // A server closes what was idle for long; that is no failure of the next request.
      if (socket.destroyed || socket.readableEnded) {
        bytesBefore += socket.bytesRead + socket.bytesWritten
        received = Buffer.alloc(0)
        socket = await open()
      }
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      })
    },
    bytes: () => bytesBefore + socket.bytesRead + socket.bytesWritten,
    end: () => socket.destroy(),
  }
}
