/** What `npm run bench` was asked to measure. Pure. */
import { parseArgs } from 'node:util'
import { WORK_NAMES, type WorkName } from './work/names.ts'

export type Options = {
  only: WorkName[]
  merchants: number[]
  processes: number[]
  orders: number
  connections: number
  /** Seconds for one look at what a signature takes. */
  signatureSeconds: number
  isQuick: boolean
  /** Versions of Node beside the one that runs this. */
  nodes: string[]
  hasPeers: boolean
  /** Where the figures go as JSON. */
  out: string | null
  /** Whether bench/README.md and its twin get the table. */
  isWritten: boolean
}

export const USAGE = `npm run bench -- [--quick] [--only close,place,query,attended,notification,mixed,sweep] [--merchants 1,1000]
  [--processes 1,2,3] [--orders 2000] [--connections 64] [--node 26.10.0] [--no-peers] [--out figures.json] [--no-write]

  --quick      everything once with few orders, in about a minute; writes no table
  --node V     the same once more with gateways on this version of Node, fetched from npm
  --no-write   leave bench/README.md as it is`

const FULL = { merchants: '1,1000', processes: '1,2,3', orders: '2000' }
const QUICK = { merchants: '1,20', processes: '1', orders: '120' }

/** Throws an error that names the option. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      only: { type: 'string', default: WORK_NAMES.join(',') },
      merchants: { type: 'string' },
      processes: { type: 'string' },
      orders: { type: 'string' },
      connections: { type: 'string', default: '64' },
      node: { type: 'string', default: '' },
      out: { type: 'string' },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: true },
      write: { type: 'boolean', default: true },
    },
  })
  const isQuick = values.quick
  const otherwise = isQuick ? QUICK : FULL
  return {
    only: listOf(values.only).map(workOf),
    merchants: numbersOf('merchants', values.merchants ?? otherwise.merchants, [1, 10_000]),
    processes: numbersOf('processes', values.processes ?? otherwise.processes, [1, 64]),
    orders: numberOf('orders', values.orders ?? otherwise.orders, [20, 1_000_000]),
    connections: numberOf('connections', values.connections, [1, 2000]),
    signatureSeconds: 1,
    isQuick,
    nodes: listOf(values.node).map(versionOf),
    hasPeers: values.peers,
    out: values.out ?? null,
    isWritten: values.write && !isQuick,
  }
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

function workOf(name: string): WorkName {
  const found = WORK_NAMES.find((one) => one === name)
  if (found === undefined) throw new Error(`--only: there is no ${name}; one of ${WORK_NAMES.join(', ')}`)
  return found
}

function versionOf(text: string): string {
  if (!/^\d+\.\d+\.\d+$/.test(text)) throw new Error(`--node: ${text} is not a version, such as 26.10.0`)
  return text
}

export const numbersOf = (name: string, text: string, range: [number, number]): number[] => {
  const numbers = listOf(text).map((one) => numberOf(name, one, range))
  if (numbers.length === 0) throw new Error(`--${name}: nothing is asked for`)
  return numbers
}

export function numberOf(name: string, text: string, [least, most]: [number, number]): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name}: ${text} is not a whole number from ${least} to ${most}`)
  }
  return value
}
