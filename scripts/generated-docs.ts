/** Writes the pages and files of docs/ that are made from the tables of the code: `npm run docs`. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLOSE_ANSWERS, ERRORS } from '@acopay/protocol'
import { table, WRITTEN_BY } from './markdown-table.ts'
import { orderStatesPage } from './order-states-page.ts'
import { postmanCollection } from './postman/collection.ts'
import { chineseSettings } from './settings-tested-page.ts'
import { wireDocs } from './wire-docs.ts'

const DOCS = path.resolve(import.meta.dirname, '../docs')

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([name, { status, retry, zh, en }]) => [
    String(status),
    `\`${name}\``,
    zh,
    en,
    retry ? '可以 yes' : '不要 no',
  ])
  return `# 错误码 Errors

${WRITTEN_BY}

An answer carries one of these in \`status\` and \`message\`; \`fieldErrors\` says in at most 50 Chinese characters which
field and what to do. **Retry** means: the same business numbers and a new nonce may succeed later, with nothing changed.
An error is signed when the caller's own signature verified, and not otherwise; an unsigned error proves nothing about
the order.

${table(['status', 'message', '说明', 'Meaning', 'Retry'], rows)}

A business result that is no error has \`status\` 200. For *close order* it is one of:

${table(
  ['code', 'description', 'Meaning'],
  Object.entries(CLOSE_ANSWERS).map(([outcome, { code, description }]) => [
    `\`${code}\``,
    description,
    CLOSE_MEANINGS[outcome as keyof typeof CLOSE_ANSWERS],
  ]),
)}

Other HTTP statuses than 200: 404 (no such path), 405 (no such method there), 413 (body over 64 KiB), 400 (not HTTP),
503 (only \`/readyz\`, while the database cannot be reached or the clock is in doubt).
`
}

const CLOSE_MEANINGS: Record<keyof typeof CLOSE_ANSWERS, string> = {
  closed: 'The order is closed now or was before; it is never paid.',
  expired: 'It had expired and is closed; it is never paid.',
  paid: 'The payer was faster. Deliver, or refund.',
  closing: 'Not every upstream has answered yet. Ask again; no payment can be started meanwhile.',
}

/** Every generated page, by its file name below docs/. */
export const generatedDocs = (): Record<string, string> => ({
  'errors.md': errorsPage(),
  'order-states.md': orderStatesPage('en'),
  'order-states.zh-CN.md': orderStatesPage('zh'),
  'settings-tested.zh-CN.md': chineseSettings(readDoc('settings-tested.md')),
  ...wireDocs(),
  'acopay.postman_collection.json': `${JSON.stringify(postmanCollection(), null, 2)}\n`,
})

export const readDoc = (name: string): string => fs.readFileSync(path.join(DOCS, name), 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generatedDocs())) {
    fs.writeFileSync(path.join(DOCS, name), text)
    console.log(`docs/${name}`)
  }
}
