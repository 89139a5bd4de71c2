/** What the head of every page of the cashier has: a page's file has `<!-- head -->` and what is its own. */
import type { Plugin } from 'vite'

const HEAD = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="/src/icon.svg">
<link rel="stylesheet" href="/src/style.css">`

/** Before vite looks for scripts and styles in the page. */
export const pageHead = (): Plugin => ({
  name: 'page-head',
  transformIndexHtml: { order: 'pre', handler: (html) => html.replace('<!-- head -->', HEAD) },
})
