/**
 * How large the tests are whose size can be chosen. `npm test` takes the first number, enough to find a fault soon;
 * `npm run test:long` takes the second. A variable of the name sets one by hand: `STORM_ORDERS=5000 npm run storm`.
 */
export const isLong = process.env.ACOPAY_TEST_SIZE === 'long'
/** `npm test` itself, and not a tier or a file by name. */
export const isQuick = process.env.ACOPAY_TEST_SIZE === 'quick'

const size = (name: string, quick: number, long: number): number => Number(process.env[name] ?? (isLong ? long : quick))

export const SIZE = {
  alerts: size('ALERTS', 0, 1),
  billTrades: size('BILL_TRADES', 1500, 100_000),
  archiveKills: size('ARCHIVE_KILLS', 1, 14),
  archives: size('ARCHIVES', 1, 2),
  closedByTwo: size('CLOSED_BY_TWO', 100, 1000),
  crashSeconds: size('CRASH_SECONDS', 5, 120),
  failoverCloses: size('FAILOVER_CLOSES', 0, 120),
  killsOfClosing: size('KILLS_OF_CLOSING', 1, 3),
  lostRounds: size('LOST_ROUNDS', 1, 25),
  looks: size('LOOKS', 1, 8),
  pooledCloses: size('POOLED_CLOSES', 0, 300),
  racesOrders: size('RACES_ORDERS', 20, 1000),
  randomChanges: size('RANDOM_CHANGES', 150, 1000),
  randomObjects: size('RANDOM_OBJECTS', 300, 20_000),
  randomRequests: size('RANDOM_REQUESTS', 2_500, 100_000),
  recipes: size('RECIPES', 0, 7),
  simulationSeeds: size('SIMULATION_SEEDS', 25, 300),
  slowAnswerSeconds: size('SLOW_ANSWER_SECONDS', 3, 14),
  stormOrders: size('STORM_ORDERS', 40, 1000),
  upgradeOrders: size('UPGRADE_ORDERS', 0, 20_000),
  wireClients: size('WIRE_CLIENTS', 1, 6),
}
