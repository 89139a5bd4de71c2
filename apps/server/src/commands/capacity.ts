/** `acopay-server capacity`: how many cores, connections, servers and disks a number of orders needs. Calculates only: no database is asked. */
import { parseArgs } from 'node:util'
import { type Capacity, CORES_OF_PRIMARY, COSTS, capacityOf } from './capacity-sums.ts'
import type { OperatorCommand } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE =
  '--orders-per-day 1000000 [--days 365] [--largest-merchant 0.05] [--standbys 1] [--json]   保存天数，最大商户所占份额，备库数 days kept, share of the largest merchant, standbys'

export const capacity: OperatorCommand = {
  usage: USAGE,
  zh: '每天这么多订单需要多少核、连接、服务器、磁盘；哪些数字是实测，哪些是假定',
  en: 'what so many orders a day need: cores, connections, servers, disk; which figures are measured and which assumed',
  run: async (args, { say }) => {
    const { isJson, ...asked } = optionsOf(args)
    const found = capacityOf(asked)
    if (isJson) say(JSON.stringify({ ...found, costs: COSTS }, null, 2))
    else for (const line of linesOf(found)) say(line)
    return 0
  },
}

const BOUNDS = {
  'orders-per-day': [1, 1_000_000_000],
  days: [1, 3660],
  'largest-merchant': [0, 1],
  standbys: [0, 5],
} as const

function optionsOf(args: string[]) {
  const text = { type: 'string' } as const
  const options = {
    'orders-per-day': text,
    days: { ...text, default: '365' },
    'largest-merchant': { ...text, default: '0.05' },
    standbys: { ...text, default: '1' },
    json: { type: 'boolean', default: false },
  } as const
  const values = (() => {
    try {
      return parseArgs({ args, options }).values
    } catch {
      throw new UsageError(USAGE)
    }
  })()
  const number = (name: keyof typeof BOUNDS): number => {
    const [from, to] = BOUNDS[name]
    const value = /^\d+(?:\.\d+)?$/.test(values[name] ?? '') ? Number(values[name]) : Number.NaN
    if (!(value >= from && value <= to) || (name !== 'largest-merchant' && !Number.isInteger(value)))
      throw new UsageError(`${USAGE}\n--${name}: ${from} … ${to}`)
    return value
  }
  return {
    ordersPerDay: number('orders-per-day'),
    days: number('days'),
    largestShare: number('largest-merchant'),
    standbys: number('standbys'),
    isJson: values.json,
  }
}

function* linesOf(found: Capacity): Generator<string> {
  const { asked, perSecond, gateways, connections, postgres, largestMerchant } = found
  yield `订单 orders              ${perSecond.mean}/s 平均 mean, ${perSecond.peak}/s 峰值 at peak`
  yield `网关 gateways            ${gateways.cores} 核 cores, ${gateways.processes} 进程 processes, ${gateways.machines} 台 machines`
  yield `数据库 PostgreSQL        ${postgres.cores} 核 cores, ${postgres.nodes} 个主库 primaries of ${CORES_OF_PRIMARY} cores, ${postgres.servers} 台 servers`
  yield `连接 connections         ${connections.count}, ${connections.memoryGb} GB${connections.pgbouncer ? ', PgBouncer 1.21+' : ''}`
  yield `WAL                      ${found.walGbPerDay} GB 每天 a day`
  yield `磁盘 disk                ${found.diskTb} TB，保存 ${asked.days} 天，含备库 for ${asked.days} days, standbys too`
  yield `最大商户 largest merchant ${largestMerchant.peakPerSecond}/s, ${largestMerchant.fits ? '可以 fits' : `不可以，最多占 ${largestMerchant.largestSharePossible} does not fit: at most this share`}`
  yield NEXT[found.next]
  yield ''
  yield '依据 from:'
  for (const { value, unit, isMeasured, from, zh, en } of Object.values(COSTS))
    yield `  ${isMeasured ? '实测 measured' : '假定 assumed '}  ${value} ${unit}  ${zh} ${en}${isMeasured ? ` (${from})` : ''}`
}

const NEXT: Record<Capacity['next'], string> = {
  none: '一台主库与两个进程足够 one primary and two processes are enough',
  processes: '先不够的是网关进程：增加进程 processes give way first: add some (docs/scaling.md)',
  primary: '一台主库不够：按商户分到多台 one primary is not enough: spread the merchants (docs/scaling.md)',
  merchant:
    '最大的商户一台主库放不下：拆成多个商户号 the largest merchant does not fit one primary: split it into several merchant numbers (docs/scaling.md)',
}
