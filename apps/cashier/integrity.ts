/**
 * Every script and style of a built page carries its digest (subresource integrity), modules that others import too; and
 * `scripts.json` lists the scripts with their digests: PCI DSS 6.4.3 asks for such a list of a payment page's scripts.
 */
import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

/** Why a payer's browser runs each script, by the name of its source. */
const PURPOSES: Record<string, string> = {
  index: 'the cashier: shows the order, starts a payment, and shows what became of it',
  receipt: 'the receipt: shows what was paid, to print or to copy',
  pay: "the first page in a shell's frame: places the order that the merchant signed",
  host: 'for shells: opens the cashier for pages that use @edgeros/web-sdk',
}
const SHARED = 'shared by the pages: texts and the calls to the gateway'

type Emitted = {
  type: 'asset' | 'chunk'
  source?: string | Uint8Array
  code?: string
  name?: string
  imports?: string[]
}

const digestOf = (content: string | Uint8Array): string =>
  `sha384-${createHash('sha384').update(content).digest('base64')}`

/** Adds the digests to a page's tags, and a preload with a digest for every module that its scripts import. */
function withDigests(html: string, base: string, digests: Map<string, string>, imports: Map<string, string[]>): string {
  const preloads = new Set<string>()
  const tagged = html.replace(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+)"[^>]*>/g, (tag, address: string) => {
    const file = address.startsWith(base) ? address.slice(base.length) : ''
    const digest = digests.get(file)
    if (digest === undefined) return tag
    for (const one of imports.get(file) ?? []) preloads.add(one)
    return tag.replace(/>$/, ` integrity="${digest}">`)
  })
  const links = [...preloads].map(
    (file) => `  <link rel="modulepreload" crossorigin href="${base}${file}" integrity="${digests.get(file)}">\n`,
  )
  return tagged.replace('</head>', `${links.join('')}</head>`)
}

export function integrity(base: string): Plugin {
  return {
    name: 'integrity',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const emitted = Object.entries(bundle as unknown as Record<string, Emitted>)
        const digests = new Map(
          emitted
            .filter(([file]) => /\.(js|css)$/.test(file))
            .map(([file, one]) => [file, digestOf(one.code ?? one.source ?? '')]),
        )
        const imports = new Map(emitted.map(([file, one]) => [file, one.imports ?? []]))
        for (const [file, one] of emitted) {
          if (file.endsWith('.html')) one.source = withDigests(String(one.source), base, digests, imports)
        }
        const scripts = emitted
          .filter(([, { type }]) => type === 'chunk')
          .map(([file, { name = '' }]) => ({
            file: base + file,
            purpose: PURPOSES[name] ?? SHARED,
            integrity: digests.get(file),
          }))
        this.emitFile({ type: 'asset', fileName: 'scripts.json', source: `${JSON.stringify(scripts, null, 2)}\n` })
      },
    },
  }
}
