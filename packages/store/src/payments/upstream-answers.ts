/** An upstream's last answer about an attempt, a refund or a reversal. It is for display only; no decision reads it. */
import { type Db, run } from '../db.ts'

/** Longer answers are cut off here. */
const TEXT_MAX = 300

const KEYS = {
  attempt: 'attempt_no',
  refund: 'refund_no',
  reversal: 'refund_no',
  archived_reversal: 'refund_no',
} as const

export type NotedAnswers = {
  table: keyof typeof KEYS
  mchNo: string
  /** If there are several answers about one number, the last one wins. */
  answers: { no: string; text: string }[]
  now: Date
}

/** The last answer about each number, as long as it may be. */
export const lastOfEach = (answers: NotedAnswers['answers']): NotedAnswers['answers'] =>
  [...new Map(answers.map(({ no, text }) => [no, text.slice(0, TEXT_MAX)]))].map(([no, text]) => ({ no, text }))

export async function noteAnswers(db: Db, { table, mchNo, answers, now }: NotedAnswers): Promise<void> {
  const last = lastOfEach(answers)
  await run(
    db,
    `noteAnswers ${table}`,
    `update ${table} set last_answer = said.text, last_answer_at = $4
       from unnest($2::text[], $3::text[]) as said (no, text) where mch_no = $1 and ${KEYS[table]} = said.no`,
    [mchNo, last.map(({ no }) => no), last.map(({ text }) => text), now],
  )
}
