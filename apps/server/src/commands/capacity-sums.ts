/** What an installation of a size needs, reckoned from unit costs. Pure: docs/scaling.md says where each cost was measured. */

/** What one unit costs, and how that is known. */
export type Cost = { value: number; unit: string; isMeasured: boolean; from: string; zh: string; en: string }

const cost = (value: number, unit: string, from: string | null, said: { zh: string; en: string }): Cost => ({
  value,
  unit,
  isMeasured: from !== null,
  from: from ?? 'assumed',
  ...said,
})

/** Two slow cores: each figure is one that a faster machine beats. */
export const COSTS = {
  gatewayMs: cost(5, 'ms', null, {
    zh: '网关每单的CPU：下单、收款、关单或通知',
    en: "gateway's CPU for an order: placed, paid, closed or told",
  }),
  closeMs: cost(1.1, 'ms', 'bench:close 2026-11-27', { zh: '网关每次关单的CPU', en: "gateway's CPU for a close" }),
  placeMs: cost(2.2, 'ms', 'bench:storage 2026-11-27', { zh: '网关每次下单的CPU', en: "gateway's CPU for placing" }),
  postgresMs: cost(2, 'ms', null, { zh: 'PostgreSQL 每单的CPU', en: "PostgreSQL's CPU for an order" }),
  postgresCloseMs: cost(0.49, 'ms', 'bench:close 2026-11-27', {
    zh: 'PostgreSQL 每次关单的CPU',
    en: "PostgreSQL's CPU for a close",
  }),
  rowBytes: cost(2938, 'bytes', 'bench:storage 2026-11-27', {
    zh: '每单的行与索引',
    en: 'rows and indexes of an order',
  }),
  toldBytes: cost(700, 'bytes', null, {
    zh: '每单的通知，三分之二的订单有',
    en: 'notifications for each order, two thirds have one',
  }),
  walBytes: cost(12_000, 'bytes', null, { zh: '每单的WAL', en: 'WAL of an order' }),
  walMeasuredBytes: cost(5800, 'bytes', 'bench:storage 2026-11-27', {
    zh: '只下单与关单的WAL',
    en: 'WAL of placing and closing alone',
  }),
  closesAtOne: cost(1000, '/s', 'bench:close 2026-11-27', {
    zh: '同机两核上每秒关单',
    en: 'closes a second where two cores hold all',
  }),
  connectionMb: cost(4.5, 'MB', 'bench:storage 2026-11-27', { zh: '一个连接的内存', en: 'memory of a connection' }),
  primaryPerS: cost(500, '/s', null, {
    zh: '一台16核主库每秒的完整订单',
    en: 'whole orders a second of a primary of 16 cores',
  }),
  peak: cost(5, 'times', null, { zh: '峰值与平均之比', en: 'peak over mean' }),
  filled: cost(0.5, 'of a core', null, { zh: '峰值时的使用率上限', en: 'of a core in use at the peak' }),
} as const

export const CORES_OF_PRIMARY = 16
const POOL = 16
const POOLED_ABOVE = 200
const DAY_S = 86_400

export type Asked = { ordersPerDay: number; days: number; largestShare: number; standbys: number }

export type Capacity = {
  asked: Asked
  perSecond: { mean: number; peak: number }
  gateways: { cores: number; processes: number; machines: number }
  connections: { count: number; memoryGb: number; pgbouncer: boolean }
  postgres: { cores: number; nodes: number; servers: number }
  walGbPerDay: number
  diskTb: number
  largestMerchant: { peakPerSecond: number; fits: boolean; largestSharePossible: number }
  /** What gives way first, and what to do then. */
  next: 'none' | 'processes' | 'primary' | 'merchant'
}

/** Rounded up to what can be bought. */
export function capacityOf(asked: Asked): Capacity {
  const { ordersPerDay, days, largestShare, standbys } = asked
  const mean = ordersPerDay / DAY_S
  const peak = mean * COSTS.peak.value
  const coresFor = (ms: number): number => Math.ceil((peak * ms) / 1000 / COSTS.filled.value)
  const cores = coresFor(COSTS.gatewayMs.value)
  const processes = Math.max(2, cores)
  const connections = processes * POOL + 10
  const nodes = Math.max(1, Math.ceil(peak / COSTS.primaryPerS.value))
  const largestPeak = peak * largestShare
  const fits = largestPeak <= COSTS.primaryPerS.value
  return {
    asked,
    perSecond: { mean: rounded(mean), peak: rounded(peak) },
    gateways: { cores, processes, machines: Math.max(2, Math.ceil(processes / 8)) },
    connections: {
      count: connections,
      memoryGb: rounded((connections * COSTS.connectionMb.value) / 1024),
      pgbouncer: connections > POOLED_ABOVE,
    },
    postgres: { cores: Math.max(2, coresFor(COSTS.postgresMs.value)), nodes, servers: nodes * (1 + standbys) },
    walGbPerDay: rounded((ordersPerDay * COSTS.walBytes.value) / 1e9),
    diskTb: rounded((ordersPerDay * days * (COSTS.rowBytes.value + COSTS.toldBytes.value) * (1 + standbys)) / 1e12),
    largestMerchant: {
      peakPerSecond: rounded(largestPeak),
      fits,
      largestSharePossible: Math.min(1, rounded(COSTS.primaryPerS.value / peak)),
    },
    next: nextOf({ fits, nodes, processes }),
  }
}

type Found = { fits: boolean; nodes: number; processes: number }

function nextOf({ fits, nodes, processes }: Found): Capacity['next'] {
  if (!fits) return 'merchant'
  if (nodes > 1) return 'primary'
  return processes > 2 ? 'processes' : 'none'
}

/** Three figures are more than is known. */
const rounded = (value: number): number => Number(value.toPrecision(3))
