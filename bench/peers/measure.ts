/** The gateway's place and close beside those of other systems: in one run, on one server of PostgreSQL, on the same cores. */
import { type Look, measuredLine } from '../figures/block.ts'
import { type Watched, watchedBy } from '../figures/measure.ts'
import type { PeerLine } from '../figures/table.ts'
import type { Options } from '../options.ts'
import { openStack, type Stack } from '../stack/stack.ts'
import { openLanes } from '../work/lanes.ts'
import { WORKS } from '../work/works.ts'
import { openBare } from './bare.ts'
import { installPeer, type PeerName } from './install.ts'
import type { OpenedPeer } from './opened.ts'
import { openPlain } from './plain.ts'
import { openVendure } from './vendure.ts'

const OPEN: Record<PeerName, (stack: Stack, connections: number) => Promise<OpenedPeer>> = {
  plain: openPlain,
  vendure: openVendure,
}

/** Vendure takes some hundred times as long, so it does a tenth. */
const SHARES: Record<PeerName, number> = { plain: 1, vendure: 0.1 }
const LEAST = 10

export async function measurePeers(asked: Options, look: Look): Promise<{ peers: PeerLine[]; notes: string[] }> {
  const stack = await openStack({ merchants: 1, node: process.execPath })
  const notes: string[] = []
  try {
    const peers = await ofGateway(stack, asked, look)
    await stack.rest()
    const floor = await floorOf(stack, asked, look)
    for (const name of ['plain', 'vendure'] as const) {
      const missing = installPeer(name, look.say.step)
      if (missing !== null) {
        look.say.line(missing)
        notes.push(missing)
        continue
      }
      look.say.step(`starting ${name} …`)
      const peer = await OPEN[name](stack, asked.connections)
      const count = Math.max(LEAST, Math.round(asked.orders * SHARES[name]))
      try {
        peers.push(...(await worksOf(peer, { watched: watchedAlone(stack, peer), count, look })))
      } finally {
        await peer.stop()
      }
    }
    return { peers: [...peers, ...floor], notes }
  } finally {
    await stack.stop()
  }
}

/** What the HTTP server and the signatures cost by themselves. */
async function floorOf(stack: Stack, { connections, orders: count }: Options, look: Look): Promise<PeerLine[]> {
  const bare = await openBare(stack, connections)
  try {
    return await worksOf(bare, { watched: watchedAlone(stack, bare), count, look })
  } finally {
    await bare.stop()
  }
}

async function ofGateway(stack: Stack, asked: Options, look: Look): Promise<PeerLine[]> {
  const gateways = await stack.start(1)
  const { connections, orders: count } = asked
  const lanes = await openLanes({ gateways: gateways.urls, payers: stack.outside.payers, connections })
  const scene = { stack, lanes, merchants: stack.merchants, say: look.say.step }
  const own: Omit<OpenedPeer, 'cpuUs' | 'stop'> = {
    subject: 'ACO Pay',
    unlike: { en: '', zh: '' },
    place: (orders) => WORKS.place(scene, orders),
    close: (orders) => WORKS.close(scene, orders),
  }
  const lines = await worksOf(own, { watched: watchedBy(stack, gateways), count, look })
  lanes.end()
  return lines
}

type Under = { watched: Watched; count: number; look: Look }

const watchedAlone = ({ database }: Stack, { cpuUs }: Pick<OpenedPeer, 'cpuUs'>): Watched => ({
  ...{ database, cpuUs, outsideUs: () => 0, delayMs: async () => 0 },
})

type Works = Pick<OpenedPeer, 'subject' | 'unlike' | 'close'> & Partial<Pick<OpenedPeer, 'place'>>

/** Those of its works that it has, after a twentieth that warms it up. */
async function worksOf(peer: Works, { watched, count, look }: Under): Promise<PeerLine[]> {
  const lines: PeerLine[] = []
  const { subject, unlike } = peer
  await (await peer.close(Math.max(LEAST, Math.round(count / 20))))()
  for (const work of ['close', 'place'] as const) {
    const prepared = await peer[work]?.(count)
    if (prepared === undefined) continue
    const block = { work, merchants: 1, processes: 1, node: process.versions.node }
    const line = await measuredLine(block, { watched, prepared, subject: `${subject}: ` }, look)
    lines.push({ ...line, subject, unlike })
  }
  return lines
}
