/** Colours with enough contrast for small text (WCAG AA), light and dark. Everything else is the component library's. */
import { type ThemeConfig, theme } from 'antd'

export const themeOf = (isDark: boolean): ThemeConfig => ({
  algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
  token: {
    colorPrimary: isDark ? '#2f6fd6' : '#0f56b3',
    colorLink: isDark ? '#8ab8ff' : '#0f56b3',
    // The library's own are paler than the link, and too pale to read.
    colorLinkHover: isDark ? '#b3d1ff' : '#0b4389',
    colorLinkActive: isDark ? '#b3d1ff' : '#0b4389',
    colorError: isDark ? '#ff8080' : '#b3261e',
    colorTextSecondary: isDark ? '#c3c7cf' : '#454b54',
    colorTextTertiary: isDark ? '#b0b5bf' : '#565d68',
    colorTextDescription: isDark ? '#b0b5bf' : '#565d68',
    colorTextPlaceholder: isDark ? '#a0a6b1' : '#666d78',
    colorTextQuaternary: isDark ? '#a0a6b1' : '#666d78',
    borderRadius: 6,
    motion: false,
  },
})
