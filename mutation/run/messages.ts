/** What the conductor and a process that runs tests say to each other. */

/** Runs these files in this order up to the first failure. `ms` are what the recording measured; 0 where it did not. */
export type Ask = {
  files: { path: string; ms: number; tests: Record<string, number> }[]
  changed: string[]
  isRecording: boolean
}

export type Outcome =
  | { kind: 'passed'; files: Ran[] }
  | { kind: 'failed'; by: string; why: string; files: Ran[] }
  | { kind: 'hung'; by: string }
  | { kind: 'broken'; why: string }

/** `why`: the first error of a file that is not ok. */
export type Ran = {
  path: string
  ok: boolean
  why: string
  passed: number
  ms: number
  tests: Record<string, number>
}
