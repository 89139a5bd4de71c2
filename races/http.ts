/** Plain HTTP to this machine over connections that are kept open. */
import http from 'node:http'

export type Reply = { status: number; text: string; headers: http.IncomingHttpHeaders }

const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 })

/** Throws when no answer comes: the error's `code` says why, and is `TIMEOUT` after `timeoutMs`. */
export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; timeoutMs?: number } = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, body, timeoutMs = 30_000 } = options
  return new Promise((resolve, reject) => {
    const sent: Record<string, string | number> = { ...headers }
    if (body !== undefined) sent['content-length'] = Buffer.byteLength(body)
    const request = http.request(url, { method, headers: sent, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(timer)
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          headers: response.headers,
        })
      })
    })
    const timer = setTimeout(() => {
      fail(Object.assign(new Error(`no answer after ${timeoutMs} ms`), { code: 'TIMEOUT' }))
      request.destroy()
    }, timeoutMs)
    const fail = (error: Error & { code?: string }): void => {
      clearTimeout(timer)
      // The server ended an idle connection just as the request used it: the server never read the request.
      const isStale = request.reusedSocket && error.code === 'ECONNRESET'
      reject(isStale ? Object.assign(error, { code: 'STALE' }) : error)
    }
    request.on('error', fail)
    request.end(body)
  })
}

export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error)
