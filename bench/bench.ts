/**
 * What users' real work costs, with one merchant and with many, with one process and with several, beside what the machine can do at
 * best. `npm run bench`; Linux. Writes its table into bench/README.md and the Chinese page. `-- --quick` tries all of it in a minute.
 */
import { writeFileSync } from 'node:fs'
import { type Look, measuredLine } from './figures/block.ts'
import type { Line } from './figures/line.ts'
import { watchedBy } from './figures/measure.ts'
import { progress } from './figures/said.ts'
import { type PeerLine, type Report, reportText } from './figures/table.ts'
import { writeReadmes } from './figures/write.ts'
import { nodeProgram } from './node-version.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { measurePeers } from './peers/measure.ts'
import { runOf } from './run-of.ts'
import { openStack, type Stack } from './stack/stack.ts'
import { openLanes } from './work/lanes.ts'
import { countOf } from './work/names.ts'
import type { Scene } from './work/orders.ts'
import { WORKS } from './work/works.ts'

const say = progress()
/** Of each work, before it is measured: the first calls after a start run code that is not compiled yet. A quick run measures these. */
const WARM_UP = 2000

function read(): Options | null {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exitCode = 2
    return null
  }
}

async function main(asked: Options): Promise<void> {
  const programs = [process.execPath, ...asked.nodes.map((version) => nodeProgram(version, say.step))]
  const lines: Line[] = []
  let postgres = ''
  for (const node of programs) {
    const stack = await openStack({ merchants: Math.max(...asked.merchants), node })
    try {
      postgres = stack.database.version
      await measureAll(stack, asked, { program: node, onLine: (line) => void lines.push(line) })
    } catch (error) {
      failed(error)
    } finally {
      await stack.stop()
    }
  }
  const none = { peers: [], notes: [] }
  const { peers, notes } = asked.hasPeers ? await measurePeers(asked, look(asked)).catch(failed) : none
  const report: Report = { run: runOf({ postgres, orders: asked.orders }), lines, peers, notes }
  say.line(`\n${reportText(report, 'en')}`)
  if (asked.out !== null) writeFileSync(asked.out, `${JSON.stringify(report, null, 2)}\n`)
  if (asked.isWritten && process.exitCode !== 1) writeReadmes('bench', (language) => reportText(report, language))
}

/** What was measured before is told all the same, but pages get a whole run. */
function failed(error: unknown): { peers: PeerLine[]; notes: string[] } {
  process.exitCode = 1
  say.line(`FAILED: ${(error as Error).stack}`)
  return { peers: [], notes: [] }
}

const look = ({ signatureSeconds, isQuick }: Options): Look => ({ say, signatureSeconds, isQuick })

async function warmUp(scene: Scene, { only, orders }: Options): Promise<void> {
  for (const work of only) await (await WORKS[work](scene, countOf(work, Math.min(WARM_UP, orders))))()
}

/** The first program is the one that runs this. Another version of it is measured with one process and the fewest merchants. */
async function measureAll(
  stack: Stack,
  asked: Options,
  { program, onLine }: { program: string; onLine: (line: Line) => void },
): Promise<void> {
  const isOwn = program === process.execPath
  const node = isOwn ? process.versions.node : (asked.nodes.find((version) => program.includes(version)) ?? program)
  for (const processes of isOwn ? asked.processes : [1]) {
    say.step(`starting ${processes} gateway(s) on Node ${node} …`)
    const gateways = await stack.start(processes)
    const { payers } = stack.outside
    const lanes = await openLanes({ gateways: gateways.urls, payers, connections: asked.connections })
    const watched = watchedBy(stack, gateways)
    const sceneOf = (merchants: number): Scene => ({
      ...{ stack, lanes, say: say.step },
      merchants: stack.merchants.slice(0, merchants),
    })
    if (!asked.isQuick) await warmUp(sceneOf(1), asked)
    for (const merchants of isOwn ? asked.merchants : [Math.min(...asked.merchants)]) {
      for (const work of asked.only) {
        const prepared = await WORKS[work](sceneOf(merchants), countOf(work, asked.orders))
        onLine(await measuredLine({ work, merchants, processes, node }, { watched, prepared }, look(asked)))
      }
    }
    lanes.end()
  }
}

const options = read()
if (options !== null) await main(options)
