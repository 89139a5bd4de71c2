/** Loaded before each unit test: whatever asks for a database there fails, however it came to it. */
import pg from 'pg'

pg.Client.prototype.connect = () => {
  throw new Error('a unit test asks for the database; import test/support/database.ts to belong to the tier db')
}
