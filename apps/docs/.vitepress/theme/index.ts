/** VitePress' own theme with the reader's own fonts: nothing to load for them. */
export { default } from 'vitepress/theme-without-fonts'
