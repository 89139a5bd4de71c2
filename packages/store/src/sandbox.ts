/** Only the sandbox: the stand-ins' books, and orders in bulk to try a console with. */
export * from './sandbox/books.ts'
export * from './sandbox/seed-orders.ts'
