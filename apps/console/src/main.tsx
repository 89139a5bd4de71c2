/** Starts the console in the browser: preferences, theme, and the router. */
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { App, ConfigProvider } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { createRoot } from 'react-dom/client'
import { queries } from './api.ts'
import { PreferencesProvider, usePreferences } from './preferences.tsx'
import { router } from './routes.tsx'
import './style.css'
import { themeOf } from './theme.ts'

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

// The component library's scroll lock creates a style element without the nonce, so every style element gets it here.
const createElement = document.createElement.bind(document)
document.createElement = ((name: string, options?: ElementCreationOptions) => {
  const element = createElement(name, options)
  if (element instanceof HTMLStyleElement) element.nonce = nonce
  return element
}) as typeof document.createElement

function Console() {
  const { language, isDark } = usePreferences()
  return (
    <ConfigProvider
      locale={language === 'zh' ? zhCN : enUS}
      theme={themeOf(isDark)}
      csp={{ nonce }}
      wave={{ disabled: true }}
      button={{ autoInsertSpace: false }}
    >
      <App>
        <RouterProvider router={router} />
      </App>
    </ConfigProvider>
  )
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <PreferencesProvider>
    <QueryClientProvider client={queries}>
      <Console />
    </QueryClientProvider>
  </PreferencesProvider>,
)
