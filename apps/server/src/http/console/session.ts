/** Signing in and out, and what a user does with its own account. */
import { createHash } from 'node:crypto'
import { ALLOWED, type Role, type Session } from '@acopay/protocol/console'
import {
  addConsoleSession,
  beginSignIn,
  type ConsoleSession,
  type ConsoleUser,
  changeConsoleUser,
  endConsoleSession,
  endConsoleSessions,
  endSignIn,
  findConsoleUser,
  putTotpSecret,
  takeTotpStep,
} from '@acopay/store'
import { Secret, TOTP } from 'otpauth'
import { hashPassword, isPassword, PASSWORD_MAX, PASSWORD_MIN } from '../../console-passwords.ts'
import type { World } from '../../world.ts'
import { Began, type ConsoleEndpoint, type Failed, failed } from './call.ts'
import { fieldsOf } from './fields.ts'

/** A session ends after half an hour without a call, and after half a day in any case. */
export const IDLE_MS = 30 * 60_000
const SESSION_MS = 12 * 3_600_000

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()

/** What the database keeps of the cookie. */
export const sessionKey = (token: string): Buffer => sha256(token)

/** What calls that change something must carry: only our own pages have been told it. */
export const csrfOf = (token: string): string => sha256(`csrf ${token}`).toString('base64url')

export function sessionView(world: World, token: string, user: ConsoleSession): Session {
  const role = user.role as Role
  return {
    username: user.username,
    role,
    mch_no: user.mchNo,
    permissions: ALLOWED[role].filter((permission) => permission !== 'sandbox.use' || world.isSandbox),
    csrf: csrfOf(token),
    is_sandbox: world.isSandbox,
    totp_enabled: user.isTotpEnabled,
    must_change_password: user.mustChangePassword,
    idle_s: IDLE_MS / 1000,
  }
}

/** One answer for every reason: it tells nobody which names there are, or which of them are locked. */
const NOT_SIGNED_IN = () =>
  failed(
    'SIGN_IN_FAILED',
    '用户名或密码不正确；连续失败5次后会锁定，1分钟起',
    'The name or the password is wrong; after five failures the name is locked, for a minute at first',
  )

/** The new session, or why there is none. `user` is told as soon as the name is known to exist, for the audit log. */
export async function signIn(
  world: World,
  asked: { body: Record<string, unknown>; address: string },
): Promise<{ user: ConsoleUser | null; answer: Began | Failed }> {
  const read = fieldsOf(asked.body)
  const username = read.needed('username', 64).trim().toLowerCase()
  const password = read.needed('password', PASSWORD_MAX)
  const code = read.text('totp', 10)
  const wrong = read.failed()
  if (wrong !== null) return { user: null, answer: wrong }
  const now = world.now()
  const counted = await beginSignIn(world.pool, username, now)
  const user = await findConsoleUser(world.pool, username)
  const isRight = await isPassword(password, counted === null ? null : (user?.passwordHash ?? null))
  if (user === null || !isRight || !user.isEnabled) return { user, answer: NOT_SIGNED_IN() }
  if (user.isTotpEnabled) {
    if (code === null) {
      return { user, answer: failed('TOTP_REQUIRED', '请输入动态验证码', 'Enter the code of your authenticator') }
    }
    if (!(await takeCode(world, user, code, false))) return { user, answer: NOT_SIGNED_IN() }
  }
  await endSignIn(world.pool, username, now)
  return { user, answer: await begin(world, user, asked.address) }
}

/** A session with a token of its own, which is kept nowhere but in the browser. */
async function begin(world: World, user: ConsoleUser, address: string): Promise<Began> {
  const now = world.now()
  const token = world.newNonce() + world.newNonce()
  const expiresAt = new Date(now.getTime() + SESSION_MS)
  const { username } = user
  await addConsoleSession(world.pool, { key: sessionKey(token), username, address, expiresAt }, now)
  return new Began(token, user)
}

/**
 * The caller again, by the password: an open session alone changes no proof of who somebody is. Guesses made there count like
 * those at the door; who goes on ends the count with `endSignIn`. Null when it is wrong, or the name is locked.
 */
async function proven(world: World, username: string, password: string): Promise<ConsoleUser | null> {
  const counted = await beginSignIn(world.pool, username, world.now())
  const user = await own(world, username)
  return counted !== null && (await isPassword(password, user.passwordHash)) ? user : null
}

const placeOf = (username: string): string => `console_user/${username}/totp`
const totpOf = (username: string, secret: Secret): TOTP => new TOTP({ issuer: 'ACO Pay', label: username, secret })

/** Whether the code is right and new: RFC 6238, one step of 30 s to either side, each code once. */
async function takeCode(world: World, user: ConsoleUser, code: string, enable: boolean): Promise<boolean> {
  if (user.totpSealed === null) return false
  const totp = totpOf(user.username, Secret.fromBase32(world.secrets.unseal(placeOf(user.username), user.totpSealed)))
  const timestamp = world.now().getTime()
  const delta = totp.validate({ token: code.replaceAll(' ', ''), timestamp, window: 1 })
  if (delta === null) return false
  return takeTotpStep(world.pool, user.username, BigInt(totp.counter({ timestamp }) + delta), enable)
}

const own = async (world: World, username: string): Promise<ConsoleUser> => {
  const user = await findConsoleUser(world.pool, username)
  if (user === null) throw new Error(`user ${username} is signed in and does not exist`)
  return user
}

/** What is no text is no code. */
const codeIn = (body: Record<string, unknown>): string => fieldsOf(body).text('code', 10) ?? ''

const passwordIn = (body: Record<string, unknown>): string => fieldsOf(body).text('password', PASSWORD_MAX) ?? ''

const WRONG_PASSWORD = () =>
  failed('FIELD_INVALID', 'password 密码不正确', 'password is not your password', { field: 'password' })

const WRONG_CODE = () =>
  failed('FIELD_INVALID', 'code 验证码不正确或已使用', 'code is wrong or was used before', { field: 'code' })

export const sessionEndpoints: ConsoleEndpoint[] = [
  {
    method: 'DELETE',
    path: 'session',
    permission: null,
    isAlwaysOpen: true,
    action: 'session.end',
    async handle(world, { caller }) {
      await endConsoleSession(world.pool, caller.sessionKey)
      return {}
    },
  },
  {
    method: 'PUT',
    path: 'session/password',
    permission: null,
    isAlwaysOpen: true,
    action: 'session.password',
    async handle(world, { caller, body }) {
      const read = fieldsOf(body)
      const password = read.needed('password', PASSWORD_MAX)
      const fresh = read.needed('new_password', PASSWORD_MAX)
      if (fresh.length < PASSWORD_MIN) {
        read.say('new_password', `至少${PASSWORD_MIN}个字符`, `needs at least ${PASSWORD_MIN} characters`)
      }
      if (fresh === password || fresh.toLowerCase().includes(caller.username)) {
        read.say('new_password', '不能与原密码相同或包含用户名', 'may not be the old one or contain your name')
      }
      const wrong = read.failed()
      if (wrong !== null) return wrong
      const user = await proven(world, caller.username, password)
      if (user === null) return WRONG_PASSWORD()
      const hash = await hashPassword(fresh)
      await changeConsoleUser(world.pool, caller.username, { password: { hash, mustChange: false } })
      // Also this one: whoever has a copy of its cookie is out.
      await endConsoleSessions(world.pool, caller.username)
      return begin(world, { ...user, mustChangePassword: false }, caller.address)
    },
  },
  {
    method: 'POST',
    path: 'session/totp',
    permission: null,
    action: 'session.totp_begin',
    async handle(world, { caller: { username }, body }) {
      const user = await proven(world, username, passwordIn(body))
      if (user === null) return WRONG_PASSWORD()
      await endSignIn(world.pool, username, null)
      if (user.isTotpEnabled) {
        return failed('CONFLICT', '动态验证码已启用，请先停用', 'It is on already; turn it off first')
      }
      const secret = new Secret({ size: 20 })
      await putTotpSecret(world.pool, username, world.secrets.seal(placeOf(username), secret.base32))
      return { secret: secret.base32, uri: totpOf(username, secret).toString() }
    },
  },
  {
    method: 'PUT',
    path: 'session/totp',
    permission: null,
    action: 'session.totp_on',
    async handle(world, { caller, body }) {
      const user = await own(world, caller.username)
      const counted = await beginSignIn(world.pool, caller.username, world.now())
      if (counted === null || !(await takeCode(world, user, codeIn(body), true))) return WRONG_CODE()
      await endSignIn(world.pool, caller.username, null)
      return {}
    },
  },
  {
    method: 'DELETE',
    path: 'session/totp',
    permission: null,
    action: 'session.totp_off',
    async handle(world, { caller, body }) {
      const user = await proven(world, caller.username, passwordIn(body))
      if (user === null) return WRONG_PASSWORD()
      if (!user.isTotpEnabled || !(await takeCode(world, user, codeIn(body), false))) return WRONG_CODE()
      await endSignIn(world.pool, caller.username, null)
      await changeConsoleUser(world.pool, caller.username, { dropTotp: true })
      return {}
    },
  },
]
