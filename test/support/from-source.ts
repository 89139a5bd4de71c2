/** Node's options to run TypeScript of this workspace, from any folder and without a build. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const TSX = path.resolve(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs')

export const FROM_SOURCE = ['--import', pathToFileURL(TSX).href, '--conditions=@acopay/source']
