/** Sends ready-made requests over connections that stay open, each answered before the next is sent. */
import { type Connection, openConnection } from '../connection.ts'

/** A request, to whom it goes, and what its answer must hold. */
export type Call = { to: 'gateway' | 'payers'; request: Buffer; expects: string }

export type Done = {
  count: number
  seconds: number
  /** Of each request, in the order in which they ended; empty where none is waited for. */
  millis: number[]
  /** Over the wire, both ways. */
  bytes: number
}

export type Addresses = { gateways: string[]; payers: string; connections: number }

export type Lanes = {
  run: (calls: Call[]) => Promise<Done>
  /** The same, and what was answered to each. */
  ask: (calls: Call[]) => Promise<string[]>
  end: () => void
}

/** Connections spread evenly over the processes; each may also reach the payers. */
export async function openLanes({ gateways, payers, connections }: Addresses): Promise<Lanes> {
  const toGateways = await opened(connections, (index) => gateways[index % gateways.length] ?? '')
  const toPayers = await opened(connections, () => payers)
  const both = { gateway: toGateways, payers: toPayers }
  const all = [...toGateways, ...toPayers]

  async function go(calls: Call[], heard: (index: number, answer: string, ms: number) => void): Promise<void> {
    let next = 0
    const lane = async (index: number): Promise<void> => {
      for (let one = next++; one < calls.length; one = next++) {
        const { to, request, expects } = calls[one] as Call
        const asked = performance.now()
        const answer = await (both[to][index] as Connection).ask(request)
        heard(one, answer, performance.now() - asked)
        if (!answer.includes(expects)) throw new Error(`not ${expects}: ${answer}`)
      }
    }
    await Promise.all(toGateways.map((_, index) => lane(index)))
  }

  const bytes = (): number => all.reduce((sum, lane) => sum + lane.bytes(), 0)
  return {
    async run(calls) {
      const millis: number[] = []
      const before = bytes()
      const start = performance.now()
      await go(calls, (_index, _answer, ms) => void millis.push(ms))
      const seconds = (performance.now() - start) / 1000
      return { count: calls.length, seconds, millis, bytes: bytes() - before }
    },
    async ask(calls) {
      const answers: string[] = []
      await go(calls, (index, answer) => {
        answers[index] = answer
      })
      return answers
    },
    end() {
      for (const lane of all) lane.end()
    },
  }
}

const opened = (count: number, urlOf: (index: number) => string): Promise<Connection[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => openConnection(urlOf(index))))
