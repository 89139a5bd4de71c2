/** For the sandbox only: the stand-ins' books, its clock, and test orders in bulk. */
export * from './sandbox/books.ts'
export * from './sandbox/clock.ts'
export * from './sandbox/seed-orders.ts'
