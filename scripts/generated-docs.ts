/** Writes the pages of docs/, and the files beside it, that are made from the tables of the code: `npm run docs`. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApi } from '@acopay/protocol'
import { errorsPage } from './errors-page.ts'
import { orderStatesPage } from './order-states-page.ts'
import { postmanCollection } from './postman/collection.ts'
import { chartSchema, envExample, settingsPage } from './settings-pages.ts'
import { chineseSettings } from './settings-tested-page.ts'
import { wireDocs } from './wire-docs.ts'

const DOCS = path.resolve(import.meta.dirname, '../docs')

/** Every generated page, by its file name below docs/. */
export const generatedDocs = (): Record<string, string> => ({
  'errors.md': errorsPage('en'),
  'errors.zh-CN.md': errorsPage('zh'),
  'order-states.md': orderStatesPage('en'),
  'order-states.zh-CN.md': orderStatesPage('zh'),
  'settings.md': settingsPage('en'),
  'settings.zh-CN.md': settingsPage('zh'),
  'settings-tested.zh-CN.md': chineseSettings(readDoc('settings-tested.md')),
  ...wireDocs(),
  '../.env.example': envExample(),
  '../deploy/chart/acopay/settings.schema.json': chartSchema(),
  'openapi.json': `${JSON.stringify(openApi('https://pay.example.com'), null, 2)}\n`,
  'acopay.postman_collection.json': `${JSON.stringify(postmanCollection(), null, 2)}\n`,
})

export const readDoc = (name: string): string => fs.readFileSync(path.join(DOCS, name), 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generatedDocs())) {
    fs.mkdirSync(path.dirname(path.join(DOCS, name)), { recursive: true })
    fs.writeFileSync(path.join(DOCS, name), text)
    console.log(`docs/${name}`)
  }
}
