/** The pages of the menu, and what a user needs to see each. */
import type { Permission } from '@acopay/protocol/console'
import type { TextKey } from './preferences.tsx'

type MenuPage = { to: string; text: TextKey; needs: Permission | null }

const PAGES: MenuPage[] = [
  { to: '/overview', text: 'overview', needs: 'orders.read' },
  { to: '/statistics', text: 'statistics', needs: 'orders.read' },
  { to: '/orders', text: 'orders', needs: 'orders.read' },
  { to: '/bulk', text: 'bulk', needs: 'notifications.resend' },
  { to: '/refunds', text: 'refunds', needs: 'orders.read' },
  { to: '/reversals', text: 'reversals', needs: 'orders.read' },
  { to: '/sent-back', text: 'sent-back', needs: 'orders.read' },
  { to: '/notifications', text: 'notifications', needs: 'notifications.read' },
  { to: '/bills', text: 'bills', needs: 'bills.read' },
  { to: '/reconciliations', text: 'reconciliations', needs: 'reconciliation.read' },
  { to: '/alarms', text: 'alarms', needs: 'alarms.read' },
  { to: '/merchants', text: 'merchants', needs: 'merchants.read' },
  { to: '/users', text: 'users', needs: 'users.read' },
  { to: '/platform-keys', text: 'platformKeyList', needs: 'platform_keys.write' },
  { to: '/audit', text: 'audit', needs: 'audit.read' },
  { to: '/sandbox', text: 'sandbox', needs: 'sandbox.use' },
  { to: '/explorer', text: 'explorer', needs: 'merchants.read' },
  { to: '/account', text: 'account', needs: null },
]

export const pagesFor = (permissions: readonly Permission[]): MenuPage[] =>
  PAGES.filter(({ needs }) => needs === null || permissions.includes(needs))
