/**
 * What a new shop is made of: the Express recipe. `npm pack` runs this file before and after: the
 * recipe and the licence are in the package, and not twice in the repository.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = import.meta.dirname
const PACKED = path.join(HERE, '../template')
const LICENCE = path.join(HERE, '../LICENSE')
const RECIPE = path.join(HERE, '../../../examples/recipes/express')

const FILES = [
  'README.md',
  'README.zh-CN.md',
  'database.ts',
  'package.json',
  'page.html',
  'server.ts',
  'settings.ts',
  'shop.ts',
  'tsconfig.json',
]

/** Copies it into an existing folder. */
export function copyTemplate(folder, from = existsSync(PACKED) ? PACKED : RECIPE) {
  for (const file of FILES) cpSync(path.join(from, file), path.join(folder, file))
}

const COMMANDS = {
  put: () => {
    mkdirSync(PACKED, { recursive: true })
    copyTemplate(PACKED, RECIPE)
    cpSync(path.join(HERE, '../../../LICENSE'), LICENCE)
  },
  remove: () => {
    for (const there of [PACKED, LICENCE]) rmSync(there, { recursive: true, force: true })
  },
}

if (process.argv[1] === fileURLToPath(import.meta.url)) COMMANDS[process.argv[2]]()
