/**
 * Imported by a test file of what seldom breaks and takes long to try: packages that are made and installed, programs of other
 * authors, a server that is started a dozen times. `npm test` leaves it out; `npm run test:long`, the tiers and its name run it.
 */
export {}
