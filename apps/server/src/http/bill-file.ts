/** The file behind a bill's link: a plain GET, streamed piece by piece as fast as the caller reads. */
import { Readable } from 'node:stream'
import { isRefusal, parseQueryBill } from '@acopay/protocol'
import { type BillKey, findBill, readBillPart } from '@acopay/store'
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'

type Path = { Params: { mchNo: string; day: string; expires: string; file: string } }

export function billFileRoutes(app: FastifyInstance, world: World): void {
  app.get<Path>('/bills/:mchNo/:day/:expires/:file', { exposeHeadRoute: false }, async (request, reply) => {
    const { mchNo, day, expires, file } = request.params
    request.line.mchNo = mchNo
    const isPath = /^[0-9A-Za-z_-]{1,32}$/.test(mchNo) && !isRefusal(parseQueryBill({ bill_date: day }))
    if (!isPath || !file.endsWith('.csv')) return reply.callNotFound()
    const bill = await findBill(world.pool, { mchNo, day })
    if (bill?.fileNo == null) return reply.callNotFound()
    const { fileNo } = bill
    const link = { expires, proof: file.slice(0, -'.csv'.length) }
    const found = world.billLinks.check({ mchNo, day, fileNo }, link, world.now().getTime())
    if (found === 'wrong') return reply.callNotFound()
    reply.header('cache-control', 'private, no-store')
    if (found === 'expired') {
      return reply
        .code(410)
        .type('text/plain; charset=utf-8')
        .send('链接已过期，请重新查询账单 (link expired, query again)\n')
    }
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-length', bill.sizeBytes.toString())
      .header('content-disposition', `attachment; filename="bill-${mchNo}-${day}.csv"`)
      .send(Readable.from(partsOf(world, { mchNo, day }, fileNo, Number(bill.sizeBytes)), { objectMode: false }))
  })
}

/** Ends with the last byte and not with a look for more, so that the answer ends when the caller has all of it. */
async function* partsOf(world: World, key: BillKey, fileNo: string, sizeBytes: number): AsyncGenerator<Buffer> {
  for (let seq = 1, sent = 0; sent < sizeBytes; seq += 1) {
    const part = await readBillPart(world.pool, key, fileNo, seq)
    if (part === null) throw new Error(`bill ${key.mchNo} ${key.day} has no part ${seq}`)
    sent += part.length
    yield part
  }
}
