/** Invitations to the console. The key is a hash of the secret in the link, so a copy of the table cannot be used to accept one. */
import { type Db, type Pool, run, transaction } from '../db.ts'
import { addConsoleUser } from './users.ts'

export type Invitation = {
  /** Begins with the time, so that invitations sort by it. */
  invitationNo: string
  username: string
  role: string
  /** Null: the user will see every merchant. */
  mchNo: string | null
  invitedBy: string
  createdAt: Date
  expiresAt: Date
  usedAt: Date | null
  revokedAt: Date | null
}

const COLUMNS = `invitation_no as "invitationNo", username, role, mch_no as "mchNo", invited_by as "invitedBy",
  created_at as "createdAt", expires_at as "expiresAt", used_at as "usedAt", revoked_at as "revokedAt"`

/** That a link is neither used, nor revoked, nor at its end, at the moment `$2`. */
const OPEN = 'used_at is null and revoked_at is null and expires_at > $2'

export type NewInvitation = Omit<Invitation, 'createdAt' | 'usedAt' | 'revokedAt'> & { linkKey: Buffer }

/** 'taken': a user has this name. 'invited': an invitation of this name is open. */
export const addInvitation = (pool: Pool, one: NewInvitation, now: Date): Promise<'added' | 'taken' | 'invited'> =>
  transaction(pool, async (db) => {
    const text = 'select 1 from console_user where username = $1'
    if ((await run(db, 'isNameTaken', text, [one.username])).length > 0) return 'taken'
    const open = `select 1 from console_invitation where username = $1 and ${OPEN}`
    if ((await run(db, 'isNameInvited', open, [one.username, now])).length > 0) return 'invited'
    await run(
      db,
      'addInvitation',
      `insert into console_invitation (invitation_no, link_key, username, role, mch_no, invited_by, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [one.invitationNo, one.linkKey, one.username, one.role, one.mchNo, one.invitedBy, now, one.expiresAt],
    )
    return 'added'
  })

/** The newest first, at most `limit` before `before`; of one merchant, or of all where `mchNo` is null. */
export const listInvitations = (
  db: Db,
  { mchNo, before }: { mchNo: string | null; before: string | null },
  limit: number,
): Promise<Invitation[]> =>
  run<Invitation>(
    db,
    'listInvitations',
    `select ${COLUMNS} from console_invitation
      where ($1::text is null or mch_no = $1) and ($2::text is null or invitation_no < $2)
      order by invitation_no desc limit $3`,
    [mchNo, before, limit],
  )

export async function findInvitation(db: Db, invitationNo: string): Promise<Invitation | null> {
  const text = `select ${COLUMNS} from console_invitation where invitation_no = $1`
  return (await run<Invitation>(db, 'findInvitation', text, [invitationNo]))[0] ?? null
}

/** The open invitation whose link this is. Null where there is none: one that was used, was revoked or has ended is no better. */
export async function openInvitation(db: Db, linkKey: Buffer, now: Date): Promise<Invitation | null> {
  const text = `select ${COLUMNS} from console_invitation where link_key = $1 and ${OPEN}`
  return (await run<Invitation>(db, 'openInvitation', text, [linkKey, now]))[0] ?? null
}

/** False where it is not open. */
export async function revokeInvitation(db: Db, invitationNo: string, now: Date): Promise<boolean> {
  const text = `update console_invitation set revoked_at = $2 where invitation_no = $1 and ${OPEN} returning 1`
  return (await run(db, 'revokeInvitation', text, [invitationNo, now])).length === 1
}

/** Revokes what this user has invited and nobody has accepted. */
export const revokeInvitationsOf = (db: Db, invitedBy: string, now: Date) =>
  run(db, 'revokeInvitationsOf', `update console_invitation set revoked_at = $2 where invited_by = $1 and ${OPEN}`, [
    invitedBy,
    now,
  ])

/**
 * Makes the user of an open invitation, and uses it up. The row stays locked until both are done, so that of two who use the link at
 * once the second finds it used. 'taken': a user has got this name meanwhile; the link stays as it was.
 */
export const acceptInvitation = (
  pool: Pool,
  { linkKey, passwordHash }: { linkKey: Buffer; passwordHash: string },
  now: Date,
): Promise<'accepted' | 'taken' | 'ended'> =>
  transaction(pool, async (db) => {
    const text = `select ${COLUMNS} from console_invitation where link_key = $1 and ${OPEN} for update`
    const [found] = await run<Invitation>(db, 'lockInvitation', text, [linkKey, now])
    if (found === undefined) return 'ended'
    const { username, role, mchNo } = found
    const user = { username, role, mchNo, passwordHash, mustChangePassword: false }
    if (!(await addConsoleUser(db, user, now))) return 'taken'
    await run(db, 'useInvitation', 'update console_invitation set used_at = $2 where link_key = $1', [linkKey, now])
    return 'accepted'
  })

/** Removes invitations that ended before `before`. */
export const forgetInvitations = (db: Db, before: Date) =>
  run(db, 'forgetInvitations', 'delete from console_invitation where expires_at <= $1', [before])
