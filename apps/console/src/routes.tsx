/** The console's addresses and their pages. The code of a page is loaded when the user first opens it. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { asTexts, readSearch, search, type Values } from './address.ts'
import { Frame } from './frame.tsx'
import { NoSuchPage } from './parts.tsx'

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage })
const page = (path: string, load: () => Promise<Record<string, unknown>>, name: string) =>
  createRoute({
    getParentRoute: () => root,
    path,
    validateSearch: asTexts,
    // biome-ignore lint/suspicious/noExplicitAny: the router needs the module's type, which this function does not know
    component: lazyRouteComponent(load as any, name),
  })

const lists = () => import('./pages/lists.tsx')
const reconciliation = () => import('./pages/money/reconciliation.tsx')

export const router = createRouter({
  basepath: '/console',
  parseSearch: readSearch,
  stringifySearch: (values) => search(values as Values),
  routeTree: root.addChildren([
    createRoute({
      getParentRoute: () => root,
      path: '/',
      beforeLoad: () => {
        throw redirect({ to: '/overview' as never })
      },
    }),
    page('/find', () => import('./pages/find.tsx'), 'Find'),
    page('/orders', () => import('./pages/orders/orders.tsx'), 'Orders'),
    page('/orders/$mchNo/$transactionNo', () => import('./pages/orders/order.tsx'), 'OrderPage'),
    page('/overview', () => import('./pages/system/overview.tsx'), 'OverviewPage'),
    page('/jobs', () => import('./pages/system/jobs.tsx'), 'Jobs'),
    page('/refunds', lists, 'Refunds'),
    page('/refund-requests', () => import('./pages/money/refund-requests.tsx'), 'RefundRequests'),
    page('/reversals', lists, 'Reversals'),
    page('/sent-back', () => import('./pages/money/sent-back.tsx'), 'SentBack'),
    page('/bulk', () => import('./pages/orders/bulk.tsx'), 'Bulk'),
    page('/statistics', () => import('./pages/system/statistics.tsx'), 'Statistics'),
    page('/notifications', lists, 'NotificationsPage'),
    page('/bills', () => import('./pages/money/finance.tsx'), 'Bills'),
    page('/bills/$mchNo/$billDay', () => import('./pages/money/finance.tsx'), 'BillPage'),
    page('/reconciliations', reconciliation, 'Reconciliations'),
    page('/reconciliations/differences', reconciliation, 'Differences'),
    page('/reconciliations/unmatched-payments', reconciliation, 'UnmatchedPayments'),
    page('/merchants', () => import('./pages/merchants/merchants.tsx'), 'Merchants'),
    page('/merchants/$mchNo', () => import('./pages/merchants/merchant.tsx'), 'MerchantPage'),
    page('/users', () => import('./pages/system/users.tsx'), 'Users'),
    page('/invitations', () => import('./pages/system/invitations.tsx'), 'Invitations'),
    // The frame shows it in place of the sign-in.
    page('/invitation', () => import('./pages/session/invitation.tsx'), 'AcceptInvitation'),
    page('/platform-keys', () => import('./pages/system/platform-keys.tsx'), 'PlatformKeys'),
    page('/alarms', () => import('./pages/system/alarms.tsx'), 'Alarms'),
    page('/audit', lists, 'AuditLog'),
    page('/explorer', () => import('./pages/explorer/explorer.tsx'), 'Explorer'),
    page('/account', () => import('./pages/session/account.tsx'), 'Account'),
    page('/sandbox', () => import('./pages/sandbox/sandbox.tsx'), 'Sandbox'),
  ]),
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
