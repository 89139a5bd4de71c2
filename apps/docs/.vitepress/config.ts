/** The docs site: VitePress over what `scripts/docs/site.ts` has laid out in ../.pages. Chinese first, nothing from a foreign host. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { anchorOf } from './anchor.ts'
import { tokenize } from './tokenize.ts'

const sidebars: Record<'zh' | 'en', DefaultTheme.SidebarItem[]> = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../.pages/sidebars.json'), 'utf8'),
)

const search = { button: { buttonText: '搜索', buttonAriaLabel: '搜索' } }
const modal = {
  displayDetails: '显示详情',
  resetButtonTitle: '清除',
  backButtonTitle: '关闭',
  noResultsText: '没有结果',
  footer: { selectText: '打开', navigateText: '选择', closeText: '关闭' },
}

export default defineConfig({
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '../../node_modules/.cache/vitepress',
  title: '翼辉支付网关 ACO Pay gateway',
  // Links are to names with their ending, so that any web server serves them.
  cleanUrls: false,
  markdown: { anchor: { slugify: anchorOf }, theme: { light: 'github-light', dark: 'github-dark' } },
  locales: {
    root: {
      label: '中文',
      lang: 'zh-CN',
      themeConfig: {
        sidebar: sidebars.zh,
        outline: { level: [2, 3], label: '本页内容' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '外观',
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
        langMenuLabel: '语言',
        notFound: { title: '没有这个页面', quote: '', linkText: '回到首页', linkLabel: '回到首页' },
      },
    },
    en: {
      label: 'English',
      lang: 'en',
      themeConfig: { sidebar: sidebars.en, outline: { level: [2, 3] } },
    },
  },
  themeConfig: {
    siteTitle: '翼辉支付网关',
    search: {
      provider: 'local',
      options: {
        miniSearch: { options: { tokenize }, searchOptions: { combineWith: 'AND', fuzzy: false, prefix: true } },
        locales: { root: { translations: { ...search, modal } } },
      },
    },
  },
})
