/** The security headers of the pages that this server sends. */

/** Browsers take a file for what its content type says, and guess nothing from its bytes. */
export const NO_SNIFFING = { 'x-content-type-options': 'nosniff' } as const

/** What a page may load beside its own scripts, and which pages may show it in a frame: lists of CSP sources. */
type PageSources = { style: string; img: string; font?: string; frameAncestors: string }

/** An HTML page that nothing may keep, index or extend: scripts and calls only from and to this server. */
export const pageHeaders = ({ style, img, font, frameAncestors }: PageSources) => ({
  ...NO_SNIFFING,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    `img-src ${img}`,
    ...(font === undefined ? [] : [`font-src ${font}`]),
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors}`,
  ].join('; '),
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
})
