/**
 * Imported by a test file that needs no database and still takes half a second or more: test/support/tiers.ts puts it into the
 * tier `db`, so that the unit tests answer in seconds.
 */
export {}
