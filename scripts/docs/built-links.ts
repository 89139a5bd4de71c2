/** Links between built pages, their anchors too: VitePress itself checks that pages are there, and no anchors. */
import path from 'node:path'

/** `pages`: the HTML by its place below the site's root. Answers one sentence for each link that leads nowhere. */
export function brokenLinks(pages: Map<string, string>): string[] {
  const ids = new Map([...pages].map(([name, html]) => [name, new Set(valuesOf(html, 'id'))]))
  return [...pages].flatMap(([name, html]) =>
    linksToPages(html).flatMap(({ href, file, anchor }) => {
      const target = file === '' ? name : targetOf(name, file, pages)
      const there = ids.get(target)
      if (there === undefined) return [`${name}: ${href} leads to no page`]
      return anchor === '' || there.has(anchor) ? [] : [`${name}: ${href} leads to no heading`]
    }),
  )
}

type Link = { href: string; file: string; anchor: string }

const linksToPages = (html: string): Link[] =>
  valuesOf(html, 'href')
    .filter((href) => !/^[a-z]+:|^\/\//.test(href))
    .map((href) => {
      const [file = '', anchor = ''] = href.split('#')
      return { href, file, anchor: decodeURIComponent(anchor) }
    })
    .filter(({ file }) => file === '' || file.endsWith('.html'))

/** Links begin with the site's base, whatever it is. */
function targetOf(name: string, file: string, pages: Map<string, string>): string {
  if (!file.startsWith('/')) return path.posix.join(path.posix.dirname(name), file)
  const parts = decodeURIComponent(file).slice(1).split('/')
  const found = parts.map((_part, index) => parts.slice(index).join('/')).find((rest) => pages.has(rest))
  return found ?? parts.join('/')
}

const valuesOf = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value.replaceAll('&amp;', '&'))
