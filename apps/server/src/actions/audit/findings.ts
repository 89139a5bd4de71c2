/** What the verifier has found: one line for each row that is not as the gateway wrote it. */

/** Chinese first, with English beside. */
export type Finding = { zh: string; en: string }

/** `count`: rows that were looked at. `unstamped`: those from before stamping began. */
export type Verified = { findings: Finding[]; count: number; unstamped: number }
