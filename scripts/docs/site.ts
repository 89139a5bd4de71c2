/**
 * `npm run docs:site`: a site of every page, in apps/docs/dist. The pages lie side by side in the repository (`X.md`, `X.zh-CN.md`); the
 * site has Chinese at its root and English below en/. `DOCS_BASE=/docs/` where it is not served at the root of its host.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brokenLinks } from './built-links.ts'
import { readPages } from './pages.ts'
import { sitePages } from './site-pages.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const APP = path.join(ROOT, 'apps/docs')
/** Begins with a dot, so that `readPages` does not find the pages a second time. */
const LAID_OUT = path.join(APP, '.pages')

function layOut(): void {
  const { pages, files, sidebars } = sitePages(readPages())
  rmSync(LAID_OUT, { recursive: true, force: true })
  for (const [name, text] of pages) {
    const file = path.join(LAID_OUT, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const [name, source] of files) {
    const file = path.join(LAID_OUT, 'public', name)
    mkdirSync(path.dirname(file), { recursive: true })
    copyFileSync(path.join(ROOT, source), file)
  }
  writeFileSync(path.join(LAID_OUT, 'sidebars.json'), JSON.stringify(sidebars))
}

function main(): void {
  const started = Date.now()
  layOut()
  const vitepress = path.join(ROOT, 'node_modules/vitepress/bin/vitepress.js')
  const { status } = spawnSync(process.execPath, [vitepress, 'build', APP, '--base', process.env.DOCS_BASE ?? '/'], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
  const dist = path.join(APP, 'dist')
  const built = readdirSync(dist, { encoding: 'utf8', recursive: true }).filter((name) => name.endsWith('.html'))
  const broken = brokenLinks(new Map(built.map((name) => [name, readFileSync(path.join(dist, name), 'utf8')])))
  for (const problem of broken) console.error(problem)
  console.log(`${built.length} pages in apps/docs/dist, ${((Date.now() - started) / 1000).toFixed(1)} s`)
  process.exitCode = broken.length === 0 ? 0 : 1
}

main()
