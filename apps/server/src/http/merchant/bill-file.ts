/** The file behind a bill's link: a plain GET, streamed part by part as fast as the caller reads. */
import { Readable } from 'node:stream'
import { type Bill, type BillKey, findBill, readBillPart } from '@acopay/store/read'
import type { FastifyInstance } from 'fastify'
import type { World } from '../../world.ts'

type Path = { Params: { mchNo: string; day: string; expires: string; file: string } }

/** The connection of a caller that reads nothing for this long is closed. */
const STALL_MS = 60_000

const EXPIRED = '链接已过期，请重新查询账单 (link expired, query again)\n'
const FAILED = '系统繁忙，请稍后重试 (the gateway failed, try again later)\n'

export function billFileRoutes(app: FastifyInstance, world: World): void {
  app.get<Path>('/bills/:mchNo/:day/:expires/:file', { exposeHeadRoute: false }, async (request, reply) => {
    const { mchNo, day, expires, file } = request.params
    if (!file.endsWith('.csv')) return reply.callNotFound()
    const link = { expires, proof: file.slice(0, -'.csv'.length) }
    const found = world.billLinks.check({ mchNo, day }, link, world.now().getTime())
    if (found === 'wrong') return reply.callNotFound()
    request.line.mchNo = mchNo
    reply.header('cache-control', 'private, no-store')
    if (found === 'expired') return reply.code(410).type('text/plain; charset=utf-8').send(EXPIRED)
    const opened = await openFile(world, { mchNo, day })
    if (opened === 'absent') return reply.callNotFound()
    if (opened === 'failed') return reply.code(500).type('text/plain; charset=utf-8').send(FAILED)
    reply.raw.setTimeout(STALL_MS, () => reply.raw.destroy())
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-length', opened.bill.sizeBytes.toString())
      .header('content-disposition', `attachment; filename="bill-${mchNo}-${day}.csv"`)
      .send(Readable.from(partsOf(world, { mchNo, day }, opened), { objectMode: false }))
  })
}

type Opened = { bill: Bill & { fileNo: string }; first: Buffer }

/** Reads the bill and its first part before the answer begins, so that a failure can still be answered with its status. */
async function openFile(world: World, key: BillKey): Promise<Opened | 'absent' | 'failed'> {
  try {
    const bill = await findBill(world.pool, key)
    if (bill?.fileNo == null) return 'absent'
    const { fileNo } = bill
    return { bill: { ...bill, fileNo }, first: await partOf(world, key, fileNo, 1) }
  } catch (err) {
    world.log.error({ ...key, err }, 'bill not sent')
    return 'failed'
  }
}

/** Ends after the last byte without reading for more, so that the answer ends as soon as the caller has all of it. */
async function* partsOf(world: World, key: BillKey, { bill, first }: Opened): AsyncGenerator<Buffer> {
  let sent = 0n
  try {
    for (let seq = 1; sent < bill.sizeBytes; seq += 1) {
      const part = seq === 1 ? first : await partOf(world, key, bill.fileNo, seq)
      sent += BigInt(part.length)
      yield part
    }
  } finally {
    // When a caller disconnects in the middle, the request's own log line is missing; this line takes its place.
    if (sent < bill.sizeBytes) world.log.warn({ ...key, sentBytes: Number(sent) }, 'bill not sent to its end')
  }
}

async function partOf(world: World, key: BillKey, fileNo: string, seq: number): Promise<Buffer> {
  const bytes = await readBillPart(world.pool, key, { fileNo, seq })
  if (bytes === null) throw new Error(`there is no part ${seq} of ${fileNo}`)
  return bytes
}
