/**
 * The store as actions and jobs use it. `@acopay/store/console` has the console's tables and lists, `@acopay/store/sandbox`
 * the sandbox's. The HTTP side imports only `@acopay/store/read`.
 */
export * from './bills/bills.ts'
export * from './bills/reconciliations.ts'
export * from './db.ts'
export * from './jobs/jobs.ts'
export * from './merchants/channel-accounts.ts'
export * from './merchants/merchants.ts'
export * from './merchants/nonces.ts'
export * from './merchants/platform-keys.ts'
export * from './migrate.ts'
export * from './notifications/notification-lists.ts'
export * from './notifications/notifications.ts'
export * from './orders/cashier-views.ts'
export * from './orders/orders.ts'
export * from './orders/timeline.ts'
export * from './orders/untouched-orders.ts'
export * from './payments/attempts.ts'
export * from './payments/payments.ts'
export * from './payments/refunds.ts'
export * from './payments/unmatched-payments.ts'
export * from './payments/upstream-answers.ts'
