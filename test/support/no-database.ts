/** Loaded before each unit test: a unit test that asks for a database fails. */
import pg from 'pg'

pg.Client.prototype.connect = () => {
  throw new Error('a unit test asks for the database; import test/support/database.ts to belong to the tier db')
}
