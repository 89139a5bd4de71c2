/** Downloading a bill over real HTTP: the link, the hash, the pieces, the file on disk, and what breaks off. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Answer,
  MCH_NO,
  type ScriptedGateway,
  scriptedGateway,
  success,
  vectors,
} from '../../../test/support/scripted-gateway.ts'
import { AcoPay, type Bill, ConnectionError, SignatureError } from './index.ts'

let gateway: ScriptedGateway
let client: AcoPay
let dir: string
beforeAll(async () => {
  gateway = await scriptedGateway()
  client = new AcoPay({
    baseUrl: gateway.url,
    mchNo: MCH_NO,
    appNo: 'A',
    mchPrivateKey: vectors.keys.merchantPrivateKey,
    platformPublicKey: vectors.keys.platformPublicKey,
    timeoutMs: 60_000,
    tries: 1,
  })
})
afterAll(() => gateway.stop())
afterEach(() => {
  vi.useRealTimers()
})
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-bill-'))
  return () => rmSync(dir, { recursive: true })
})

const DAY = '2026-05-11'
const FILE = 'kind,time\r\nPAYMENT,2026-05-11T10:00:00+08:00\r\n'
const OTHER_HASH = 'ab'.repeat(32)

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
/** The signed answer that names the file's link and hash, then what the link answers. */
const bill = (link: Answer, hashCode = hashOf(FILE)): void => {
  const url = `${gateway.url}/bill/secret`
  const answer = { code: 'SUCCESS', description: '成功', url, hash_code: hashCode, hash_type: 'SHA256' }
  gateway.says(success(answer), link)
}
const inPieces =
  (...pieces: string[]): Answer =>
  (_seen, response) => {
    response.writeHead(200)
    for (const piece of pieces) response.write(piece)
    response.end()
  }
/** Sends the beginning and then nothing more; `hangUp`: closes the connection. */
const halfOf =
  (how: 'silence' | 'hangUp'): Answer =>
  (_seen, response) => {
    response.writeHead(200, { 'content-length': String(FILE.length) })
    response.write(FILE.slice(0, 10), () => {
      if (how === 'hangUp') response.destroy()
    })
    return undefined
  }

async function textOf(content: Bill['content']): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const downloaded = async (options = {}): Promise<Bill> => (await client.downloadBill(DAY, options)) as Bill

describe('a bill as a stream', () => {
  it('is the file behind the link, which is asked for without signature and only when the file is read', async () => {
    bill(inPieces(FILE.slice(0, 5), FILE.slice(5)))
    const { state, description, hashCode, content } = await downloaded()
    expect([state, description, hashCode]).toEqual(['SUCCESS', '成功', hashOf(FILE)])
    expect(gateway.seen).toHaveLength(1)
    expect(await textOf(content)).toBe(FILE)
    const [, link] = gateway.seen
    expect(link).toMatchObject({ method: 'GET', path: '/bill/secret', body: null })
    expect(Object.keys(link?.headers ?? {}).filter((name) => name.startsWith('x-acopay'))).toEqual([])
  })

  it('ends with a SignatureError where it is not the file whose hash was signed', async () => {
    for (const [sent, signed] of [
      [FILE, OTHER_HASH],
      [`${FILE} `, hashOf(FILE)],
      ['', hashOf(FILE)],
    ] as const) {
      bill(inPieces(sent), signed)
      const error = await textOf((await downloaded()).content).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(SignatureError)
      expect((error as Error).message).toBe('the file is not the bill that the platform signed: its SHA-256 differs')
    }
  })

  it('of another kind of hash is not taken', async () => {
    gateway.says(success({ code: 'SUCCESS', description: '成功', url: 'x', hash_code: 'x', hash_type: 'MD5' }))
    await expect(client.downloadBill(DAY)).rejects.toThrow("the bill's hash_type is not SHA256")
  })

  it.each<[string, Answer, Partial<ConnectionError> & { message: string }]>([
    [
      'a link that answers 404',
      (_seen, response) => void response.writeHead(404).end('gone'),
      { message: "the bill's link answered HTTP 404", httpStatus: 404, isRetryable: true },
    ],
    [
      'a link that answers 204',
      (_seen, response) => void response.writeHead(204).end(),
      { message: "the bill's link answered HTTP 204", httpStatus: 204, isRetryable: true },
    ],
    [
      'a link that leads elsewhere',
      (_seen, response) => void response.writeHead(302, { location: '/other' }).end(),
      { message: "the bill's link answered HTTP 302", httpStatus: 302, isRetryable: true },
    ],
    [
      'a link that answers nothing',
      (_seen, response) => void response.destroy(),
      { message: 'the download of the bill broke off', httpStatus: null, isRetryable: true },
    ],
    [
      'a connection that ends half-way',
      halfOf('hangUp'),
      { message: 'the download of the bill broke off', httpStatus: null, isRetryable: true },
    ],
  ])('%s is a ConnectionError', async (_what, link, expected) => {
    bill(link)
    const error = await textOf((await downloaded()).content).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConnectionError)
    expect({ ...(error as object), message: (error as Error).message }).toMatchObject(expected)
    if (expected.httpStatus === null) expect((error as Error).cause).toBeInstanceOf(Error)
  })

  it('is given up when nothing comes for timeoutMs, before the first piece and after it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    for (const [link, received] of [
      [() => undefined, 0],
      [halfOf('silence'), 10],
    ] as [Answer, number][]) {
      bill(link)
      const pieces = (await downloaded()).content[Symbol.asyncIterator]()
      if (received > 0) expect((await pieces.next()).value).toHaveLength(received)
      let error: unknown
      const waiting = pieces.next().catch((thrown: unknown) => {
        error = thrown
      })
      while (gateway.seen.length < 2) await turn()
      vi.advanceTimersByTime(59_999)
      await turn()
      expect(error).toBeUndefined()
      vi.advanceTimersByTime(1)
      await waiting
      expect(error).toMatchObject({ name: 'ConnectionError', httpStatus: null, isRetryable: true })
      expect((error as Error).message).toBe('the download of the bill stood still')
    }
  })

  it('does not count the time that its reader takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    bill(inPieces(FILE.slice(0, 5), FILE.slice(5)))
    let text = ''
    for await (const piece of (await downloaded()).content) {
      text += Buffer.from(piece).toString('utf8')
      vi.advanceTimersByTime(120_000)
      await turn()
    }
    expect(text).toBe(FILE)
  })

  it('ends when its signal says so, and is then not to be tried again', async () => {
    const stop = new AbortController()
    bill(halfOf('silence'))
    const { content } = await downloaded({ signal: stop.signal })
    const reading = (async () => {
      for await (const _ of content) stop.abort()
    })()
    const error = await reading.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ConnectionError', isRetryable: false })
    expect((error as Error).message).toBe('the download of the bill was aborted')
  })

  it('reads on under a signal that says nothing', async () => {
    bill(inPieces(FILE))
    const { content } = await downloaded({ signal: new AbortController().signal })
    expect(await textOf(content)).toBe(FILE)
  })
})

describe('a bill as a file', () => {
  it('appears whole under its name, with the number of bytes received so far on the way', async () => {
    const file = path.join(dir, 'bill.csv')
    bill(inPieces(FILE))
    const received: number[] = []
    expect(await client.saveBill(DAY, file, { onBytes: (bytes) => void received.push(bytes) })).toEqual({
      state: 'SUCCESS',
      description: '成功',
      hashCode: hashOf(FILE),
      bytes: FILE.length,
    })
    expect(readFileSync(file, 'utf8')).toBe(FILE)
    expect(readdirSync(dir)).toEqual(['bill.csv'])
    expect(received.at(-1)).toBe(FILE.length)
    expect(received).toEqual([...received].sort((a, b) => a - b))
  })

  it('replaces an older file only when it is complete and the right one', async () => {
    const file = path.join(dir, 'bill.csv')
    writeFileSync(file, 'older')
    for (const [link, hashCode] of [
      [inPieces(FILE), OTHER_HASH],
      [halfOf('hangUp'), hashOf(FILE)],
    ] as const) {
      bill(link, hashCode)
      await expect(client.saveBill(DAY, file)).rejects.toThrow()
      expect(readdirSync(dir)).toEqual(['bill.csv'])
      expect(readFileSync(file, 'utf8')).toBe('older')
    }
    bill(inPieces(FILE))
    await client.saveBill(DAY, file)
    expect(readFileSync(file, 'utf8')).toBe(FILE)
  })

  it('is not made for a day without one', async () => {
    gateway.says(success({ code: 'NO_BILL', description: '账单不存在' }))
    expect(await client.saveBill(DAY, path.join(dir, 'bill.csv'))).toEqual({
      state: 'NO_BILL',
      description: '账单不存在',
    })
    expect(readdirSync(dir)).toEqual([])
  })
})
