/** What a run has shown so far: its story, how often each thing happened, and the first invariant that broke. */

export type RunRecord = {
  story: string[]
  /** How often each thing happened: transitions, faults by phase, quirks. */
  coverage: Map<string, number>
  /** The first invariant that broke; null if none has. */
  violation: string | null
  crashes: number
  say: (line: string) => void
  count: (what: string) => void
  broke: (what: string) => void
}

export function newRecord(nowMs: () => number): RunRecord {
  const record: RunRecord = {
    story: [],
    coverage: new Map(),
    violation: null,
    crashes: 0,
    say(line) {
      record.story.push(`${new Date(nowMs()).toISOString().slice(11, 23)}  ${line}`)
    },
    count(what) {
      record.coverage.set(what, (record.coverage.get(what) ?? 0) + 1)
    },
    broke(what) {
      if (record.violation === null) record.say(`BROKEN ${what}`)
      record.violation ??= what
    },
  }
  return record
}
