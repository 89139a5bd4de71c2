/** What `npm run test:citus` runs, and what it leaves out, each with its reason. */

/** The store's tests, and those of the server that go through whole sessions. */
export const CITUS_FILES = [
  'packages/store/src',
  'test/alipay-close.test.ts',
  'test/bills.test.ts',
  'test/cashier-link.test.ts',
  'test/closing.test.ts',
  'test/console-filters.test.ts',
  'test/console-lists.test.ts',
  'test/console-merchants.test.ts',
  'test/job-answers.test.ts',
  'test/late-money.test.ts',
  'test/notifications.test.ts',
  'test/order-life.test.ts',
  'test/quirks.test.ts',
  'test/reconciliation.test.ts',
  'test/refunds.test.ts',
  'test/citus.test.ts',
  'test/citus-nodes.test.ts',
]

/** Files below the folders that are named above. */
export const FILES_LEFT_OUT = {
  'packages/store/src/merchants-lists.test.ts': 'it reads the plans of one PostgreSQL',
  'packages/store/src/sandbox/seed-orders.test.ts':
    'seed-orders fills one PostgreSQL for measuring; its checks join by numbers alone',
}

const CATALOG = "it reads PostgreSQL's catalog, where Citus has views, shards and constraints of its own"
const OWN_SQL = 'the test itself changes rows by a statement that Citus refuses'

/** By the end of the whole name of the test. */
export const TESTS_LEFT_OUT = {
  'refers to others with mch_no first on both sides': CATALOG,
  'that is looked up by its order has an index that begins with the order': CATALOG,
  'has no default that reads a clock or a sequence: both come from the gateway': CATALOG,
  'nothing depends on triggers, sequences or rules, and no function is in the database that the decisions do not name':
    CATALOG,
  "with another at (at + interval '1 ms') shows": OWN_SQL,
  'pages through all of them, each once, the newest first': OWN_SQL,
  "of one merchant, however many and however old, do not hold up another merchant's":
    'it places thousands of orders of many merchants in one call, which one statement for each takes longer than a statement may',
}

/** For vitest's `-t`: every other test. */
export const leavingOut = (names: readonly string[]): string =>
  `^(?!.*(?:${names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})$)`
