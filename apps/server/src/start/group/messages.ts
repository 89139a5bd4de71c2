/** What the parent of a group of processes and its workers say to each other. */

import type { AlarmLine } from '../../metrics/alarm-lines.ts'
import type { MetricsPart } from '../../metrics/group-metrics.ts'
import type { SharedFaults } from '../../sandbox/shared-faults.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../database.ts'
import type { Told } from '../telling.ts'

/** What a worker is told when it begins. */
export type Post = {
  /** Its number, from 1; the worker that replaces it has the same. */
  worker: number
  /** How many processes serve. */
  processes: number
  hasJobs: boolean
  /** The embedded database that the parent runs; null where DATABASE_URL says which. */
  database: Connection | null
  /** The address of the sandbox's upstreams, which run in the parent; null in production. */
  upstreamsUrl: string | null
  /** What belongs to the group and does not change while it runs, whatever the settings say by now. */
  fixed: Pick<Config, 'host' | 'port' | 'mode' | 'home' | 'processes'>
}

export type FromWorker =
  | { say: 'hello' }
  | { say: 'listening'; url: string }
  /** It listens no more. The parent answers with the same word: by then no connection is on its way. */
  | { say: 'let go' }
  /** It cannot start, or cannot go on: one line for people. */
  | { say: 'failed'; line: string }
  /** No process of this version can go on. */
  | { say: 'gone'; line: string }
  | { say: 'told'; told: Told[] }
  /** `ask` null: it ends, and these are its last. */
  | { say: 'counted'; ask: number | null; part: MetricsPart }
  | { say: 'scrape'; ask: number }
  | SharedFaults

export type ToWorker =
  | { say: 'post'; post: Post }
  /** Stops: as one of several that go on, or with all of them. */
  | { say: 'leave'; how: 'leaving' | 'stopping' }
  | { say: 'let go' }
  | { say: 'told'; told: Told[] }
  | { say: 'count'; ask: number; of: 'process' | 'process and database' }
  | { say: 'scraped'; ask: number; text: string | null }
  /** Lines of the parent's log that are worth an alarm: a worker tells them. */
  | { say: 'alarms'; lines: AlarmLine[] }
  | SharedFaults
