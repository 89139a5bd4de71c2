/** The console's own tables, what it changes, and its lists. */
export * from './console/audit.ts'
export * from './console/finance-lists.ts'
export * from './console/lists.ts'
export * from './console/order-hours.ts'
export * from './console/order-lists.ts'
export * from './console/sessions.ts'
export * from './console/users.ts'
export * from './merchants/merchant-admin.ts'
