/** Where the files beside the program lie: in the package that `npm run dist` makes, or in the repository. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's folder, or `apps/server`: sources, compiled files and the package's bundle all lie one folder below. */
const ROOT = fileURLToPath(new URL('../', import.meta.url))
export const isPackage = existsSync(path.join(ROOT, 'pages'))

export const pagesFolder = (app: string): string =>
  isPackage ? path.join(ROOT, 'pages', app) : path.join(ROOT, '..', app, 'dist')

/** A package may lie where nothing can be written, and is replaced by the next version: the gateway's files are not kept in it. */
export const DEFAULT_HOME = isPackage ? path.join(homedir(), '.acopay') : path.join(ROOT, '../../.acopay')
