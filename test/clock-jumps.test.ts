/** A machine whose clock is wrong for a while: nothing ends by it, monitoring is told, and all goes on when it is right again. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { addUser, signedIn } from './support/console.ts'
import { testStart } from './support/manual-clock.ts'
import { close, place, query } from './support/merchant.ts'
import { type Production, productionGateway } from './support/production.ts'

const SECOND = 1000
const HOUR = 3_600_000
const EXPIRES_AFTER = 2 * HOUR
const JOB_PAUSE = SECOND
/** The worker, the notifier, the writer of the log of calls and the teller of other gateways. */
const SLEEPERS = 4
const COMPARE_PAUSE = 5 * SECOND

let production: Production
beforeAll(async () => {
  production = await productionGateway(testStart())
})
afterAll(() => production.stop())
afterEach(() => {
  production.clock.setAhead(0)
  production.clock.setDatabaseAhead(0)
})

/** Time passes until the worker has run a round and the clocks were compared. */
async function workGoesOn(): Promise<void> {
  const { clock } = production
  const areIdle = () => [clock.sleeping(JOB_PAUSE), clock.sleeping(COMPARE_PAUSE)]
  for (const _round of [1, 2]) {
    await expect.poll(areIdle, { interval: 2, timeout: 60_000 }).toEqual([SLEEPERS, 1])
    clock.advance(COMPARE_PAUSE)
  }
  await expect.poll(areIdle, { interval: 2, timeout: 60_000 }).toEqual([SLEEPERS, 1])
}

const ready = async () => {
  const response = await fetch(`${production.gateway.url}/readyz`)
  return [response.status, await response.json()]
}

const stateOf = async (transactionNo: string) => (await query(production.demo, transactionNo)).data.code

it('before any jump all is well', async () => {
  await workGoesOn()
  expect(await ready()).toEqual([200, { status: 'ok' }])
})

const JUMPS = [3 * HOUR, -3 * HOUR, 48 * HOUR, -48 * HOUR]

it.each(JUMPS)('a clock that jumps by %i ms closes no order, and calls are answered as before', async (ms) => {
  const { demo, clock } = production
  const open = await place(demo)
  clock.setAhead(ms)
  clock.setDatabaseAhead(ms)
  await workGoesOn()
  const ahead_s = ms / SECOND
  expect(await ready()).toEqual([503, { status: 'clock in doubt', against: 'steady clock', ahead_s }])
  const later = await place(demo)
  expect([await stateOf(open), await stateOf(later)]).toEqual(['NOTPAY', 'NOTPAY'])
  expect((await close(demo, later)).data.code).toBe('SUCCESS')
  clock.setAhead(0)
  clock.setDatabaseAhead(0)
  await workGoesOn()
  expect(await ready()).toEqual([200, { status: 'ok' }])
  expect(await stateOf(open)).toBe('NOTPAY')
  clock.advance(EXPIRES_AFTER)
  await workGoesOn()
  expect(await stateOf(open)).toBe('CLOSED')
})

it.each(JUMPS)('a database whose clock is %i ms ahead closes no order, not even one whose time is over', async (ms) => {
  const { demo, clock } = production
  const open = await place(demo)
  clock.setDatabaseAhead(ms)
  await workGoesOn()
  clock.advance(EXPIRES_AFTER)
  await workGoesOn()
  expect(await ready()).toEqual([503, { status: 'clock in doubt', against: 'database', ahead_s: -ms / SECOND }])
  expect(await stateOf(open)).toBe('NOTPAY')
  const rows = 'select state from orders where transaction_no = $1'
  expect((await production.database.pool.query(rows, [open])).rows).toEqual([{ state: 'NOTPAY' }])
  clock.setDatabaseAhead(0)
  await workGoesOn()
  expect(await stateOf(open)).toBe('CLOSED')
})

it('a gateway that starts while its clock is 3 h ahead of the database closes nothing, and says so at once', async () => {
  const { demo, clock } = production
  const open = await place(demo)
  clock.setAhead(3 * HOUR)
  const another = await production.startAnother({ ACOPAY_RATE_PER_ADDRESS: '1000' })
  const other = { ...demo, baseUrl: another.url }
  const answered = await fetch(`${another.url}/readyz`)
  expect([answered.status, await answered.json()]).toEqual([
    503,
    { status: 'clock in doubt', against: 'database', ahead_s: 3 * 3600 },
  ])
  expect((await query(other, open)).data.code).toBe('NOTPAY')
  clock.setAhead(0)
  await another.stop()
  expect(await stateOf(open)).toBe('NOTPAY')
})

it("the console's overview says by how much the clock differs, and nothing when it does not", async () => {
  const { clock } = production
  await addUser(production, 'an-operator', 'operator')
  const operator = await signedIn(production, 'an-operator')
  expect((await operator.get('overview')).body.clock).toBeNull()
  clock.setDatabaseAhead(3 * HOUR)
  await workGoesOn()
  expect((await operator.get('overview')).body.clock).toEqual({ against: 'database', ahead_s: -3 * 3600 })
})

it('raises an alarm while the clock is in doubt, and says when it is right again', () => {
  const said = production.logged().filter(({ msg }) => String(msg).includes('the clock is'))
  const alarms = said.filter(({ alarm }) => alarm === true)
  expect(alarms.map(({ against }) => against)).toEqual(expect.arrayContaining(['steady clock', 'database']))
  expect(said.filter(({ msg }) => msg === 'the clock is right again')).toHaveLength(2 * JUMPS.length)
})
