/** Sandbox mode only: one user of the console for each role. A file of its own holds their passwords. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isMerchantRole, ROLES } from '@acopay/protocol/console'
import type { Db } from '@acopay/store'
import { addConsoleUser, changeConsoleUser, findConsoleUser } from '@acopay/store/console'
import type { Hashing } from '../security/hashing.ts'
import { hashPassword, isPassword, newPassword } from '../security/passwords.ts'
import { writePrivateFile } from '../security/private-file.ts'
import type { World } from '../world.ts'
import { DEMO } from './demo-merchant.ts'

/** The contents of `console.json`. */
export type ConsoleUsers = { url: string; users: { username: string; role: string; password: string }[] }

export type SeededUsers = { users: ConsoleUsers['users']; isNew: boolean }

/** Adds the users on the first start. If the file is missing or belongs to another database, they get new passwords. */
export async function seedConsoleUsers(
  { pool: db, hashing, now }: Pick<World, 'pool' | 'hashing' | 'now'>,
  home: string,
): Promise<SeededUsers> {
  const known = readKnown(consoleFile(home))
  if (known !== null && (await isOurs(db, hashing, known))) return { users: known, isNew: false }
  return { users: await makeUsers(db, hashing, now()), isNew: true }
}

export const consoleFile = (home: string): string => path.join(home, 'console.json')

export function writeConsoleUsers(home: string, url: string, users: ConsoleUsers['users']): void {
  const text: ConsoleUsers = { url: `${url}/console/`, users }
  writePrivateFile(consoleFile(home), `${JSON.stringify(text, null, 2)}\n`, 'replace')
}

function readKnown(file: string): ConsoleUsers['users'] | null {
  try {
    const { users } = JSON.parse(readFileSync(file, 'utf8')) as ConsoleUsers
    return users.length === ROLES.length ? users : null
  } catch {
    return null
  }
}

/** The users are made together, so checking the first one is enough. */
async function isOurs(db: Db, hashing: Hashing, [first]: ConsoleUsers['users']): Promise<boolean> {
  const user = first === undefined ? null : await findConsoleUser(db, first.username)
  return user !== null && (await isPassword(hashing.takePlace(), first?.password ?? '', user.passwordHash))
}

const makeUsers = (db: Db, hashing: Hashing, now: Date): Promise<ConsoleUsers['users']> =>
  Promise.all(
    ROLES.map(async (role) => {
      const username = role.replace('_', '-')
      const password = newPassword()
      const hash = await hashPassword(hashing, password)
      const mchNo = isMerchantRole(role) ? DEMO.mchNo : null
      const user = { username, role, mchNo, passwordHash: hash, mustChangePassword: false }
      if (!(await addConsoleUser(db, user, now))) {
        await changeConsoleUser(db, username, { password: { hash, endsAt: null } })
      }
      return { username, role, password }
    }),
  )
