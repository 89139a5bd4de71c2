/** What time a command takes it to be: that of the gateways on this database, whose clock may have been moved in a sandbox. */
import type { Db } from '@acopay/store'
import { readAheadMs } from '@acopay/store/sandbox'

export const nowOf = async (db: Db, machine: Date = new Date()): Promise<Date> =>
  new Date(machine.getTime() + (await readAheadMs(db)))
