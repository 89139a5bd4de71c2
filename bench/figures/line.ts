/** A line of the table: what was counted of one piece of work, turned into figures. Pure. */
import type { WorkName } from '../work/names.ts'
import { quantile } from './quantile.ts'

/** What one block has counted. CPU in microseconds, of all processes of each kind together. */
export type Counted = {
  count: number
  seconds: number
  millis: number[]
  bytes: number
  gatewayUs: number
  databaseUs: number
  outsideUs: number
  /** Of the processes that send the load. */
  ownUs: number
  /** In which any process of this machine worked. */
  machineUs: number
  statements: number
  transactions: number
  walBytes: number
  delayMs: number
}

/** One RSA-2048 signature before and after the block, and what all cores sign in a second. */
export type Signatures = { beforeUs: number; afterUs: number; perSecond: number }

export type Block = { work: WorkName; merchants: number; processes: number; node: string }

export type Line = Block & {
  perSecond: number
  /** Null where no caller waits for an answer. */
  p50: number | null
  p99: number | null
  /** CPU of one, in signatures. */
  gateway: number
  database: number
  outside: number
  statements: number
  transactions: number
  bytes: number
  walBytes: number
  /** Of what the cores would sign if they did nothing else. */
  ceiling: number
  delayMs: number
  signatureUs: number
  /** By how much the two measured signatures differ. */
  drift: number
  /** How much of the cores' time went to processes that are none of ours. */
  others: number
}

/** Above it, the machine did other things as well, or got slower. */
const BUSY = 0.15

export function lineOf(block: Block, counted: Counted, { beforeUs, afterUs, perSecond: ceiling }: Signatures): Line {
  const signatureUs = (beforeUs + afterUs) / 2
  const each = (sum: number): number => sum / counted.count
  const signed = (sum: number): number => each(sum) / signatureUs
  const perSecond = counted.count / counted.seconds
  const known = counted.gatewayUs + counted.databaseUs + counted.outsideUs + counted.ownUs
  const at = (share: number): number | null => (counted.millis.length === 0 ? null : quantile(counted.millis, share))
  return {
    ...block,
    perSecond,
    p50: at(0.5),
    p99: at(0.99),
    gateway: signed(counted.gatewayUs),
    database: signed(counted.databaseUs),
    outside: signed(counted.outsideUs),
    statements: each(counted.statements),
    transactions: each(counted.transactions),
    bytes: each(counted.bytes),
    walBytes: each(counted.walBytes),
    ceiling: perSecond / ceiling,
    delayMs: counted.delayMs,
    signatureUs,
    drift: Math.abs(afterUs - beforeUs) / Math.min(beforeUs, afterUs),
    others: Math.max(0, counted.machineUs - known) / counted.machineUs,
  }
}

/** Why a line is not to be believed; null where it is. */
export function busyNote({ drift, others }: Pick<Line, 'drift' | 'others'>): string | null {
  const percent = (share: number): string => `${Math.round(100 * share)} %`
  const why = [
    ...(drift > BUSY ? [`a signature before and after differ by ${percent(drift)}`] : []),
    ...(others > BUSY ? [`other processes took ${percent(others)} of what the cores did`] : []),
  ]
  return why.length === 0 ? null : `busy machine: ${why.join('; ')}`
}
