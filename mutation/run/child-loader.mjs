/** A loader below tsx's: it hands tsx the text that the run serves. It is not TypeScript, because it is there before tsx is. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.resolve(import.meta.dirname, '../..')
const folder = process.env.ACOPAY_MUTATION_SERVED

export async function load(url, context, next) {
  if (folder === undefined || !/^file:.*\.tsx?(?:[?#].*)?$/.test(url) || url.includes('/node_modules/'))
    return next(url, context)
  const name = path.relative(ROOT, fileURLToPath(url.replace(/[?#].*$/, '')))
  const source = name.startsWith('..') ? null : await readFile(path.join(folder, name), 'utf8').catch(() => null)
  return source === null ? next(url, context) : { format: 'module', source, shortCircuit: true }
}
