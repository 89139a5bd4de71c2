export * from './attempt.ts'
export * from './limits.ts'
export * from './money.ts'
export * from './order.ts'
