/**
 * A gateway process that fails, dies or falls asleep at one step of its work. A step is a statement, a connection or a call to
 * an upstream.
 */
import type { Channel } from '@acopay/channels'
import type { Pool } from '@acopay/store'
import type { World } from '../../apps/server/src/world.ts'

/** `throws`: the step fails and was not done. `answer lost`: it fails and was done. `at` counts from 1; 0: never. */
export type Mishap = { kind: 'throws' | 'answer lost' | 'dies' | 'sleeps'; at: number }

export type Step = { name: string; isInTransaction: boolean }

export type Interrupted = {
  world: World
  /** The steps that were begun, in order. */
  steps: Step[]
  /** Resolves when the process has died or fallen asleep. */
  stopped: Promise<void>
  wake: () => void
}

/** Statements of a round that come before its jobs. */
const BEFORE_JOBS = /^(lapsedOrders|dueJobs|takeJobs|oldNonces|forgetNonces)$/

const NEVER = new Promise<never>(() => {})

type Statement = string | { name?: string; text?: string }

export function interrupted(real: World, mishap: Mishap): Interrupted {
  const steps: Step[] = []
  let isDead = false
  let stop = (): void => {}
  let wake = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const awake = new Promise<void>((resolve) => {
    wake = resolve
  })

  async function step<Result>(one: Step, work: () => Promise<Result>, whenDead = async () => {}): Promise<Result> {
    if (isDead) return NEVER
    if (BEFORE_JOBS.test(one.name) || one.name === 'rollback') return work()
    steps.push(one)
    if (steps.length !== mishap.at) return work()
    switch (mishap.kind) {
      case 'throws':
        throw new Error(`${one.name} throws`)
      case 'answer lost':
        await work()
        throw new Error(`the answer to ${one.name} is lost`)
      case 'dies':
        isDead = true
        await whenDead()
        stop()
        return NEVER
      case 'sleeps':
        stop()
        await awake
        return work()
    }
  }

  return { world: { ...real, pool: poolOf(real.pool, step), channelOf: channelsOf(real, step) }, steps, stopped, wake }
}

type Do = <Result>(step: Step, work: () => Promise<Result>, whenDead?: () => Promise<void>) => Promise<Result>

const nameOf = (statement: Statement): string =>
  typeof statement === 'string' ? statement : (statement.name ?? 'unnamed')

function poolOf(pool: Pool, step: Do): Pool {
  const query = (statement: Statement, values?: unknown[]) =>
    step({ name: nameOf(statement), isInTransaction: false }, () => pool.query(statement as string, values))
  const connect = async () => {
    const client = await step({ name: 'connect', isInTransaction: false }, async () => pool.connect())
    /** A process that dies leaves its transaction to the server, which rolls it back. */
    const end = async (): Promise<void> => {
      await client.query('rollback')
      client.release()
    }
    return {
      query: (statement: Statement, values?: unknown[]) =>
        step({ name: nameOf(statement), isInTransaction: true }, () => client.query(statement as string, values), end),
      release: (error?: Error) => client.release(error),
      on: () => {},
      off: () => {},
    }
  }
  return Object.create(pool, { query: { value: query }, connect: { value: connect } }) as Pool
}

const VERBS = ['open', 'query', 'close', 'refund', 'queryRefund', 'fetchUpstreamBill'] as const

function channelsOf(real: World, step: Do): World['channelOf'] {
  return async (mchNo, name) => {
    const channel = await step({ name: 'channelOf', isInTransaction: false }, () => real.channelOf(mchNo, name))
    if (channel === null) return null
    const verbs = VERBS.map((verb) => {
      const call = channel[verb] as (ask: unknown, signal: AbortSignal) => Promise<unknown>
      return [
        verb,
        (ask: unknown, signal: AbortSignal) =>
          step({ name: `upstream ${verb}`, isInTransaction: false }, () => call(ask, signal)),
      ]
    })
    return { ...channel, ...Object.fromEntries(verbs) } as Channel
  }
}
