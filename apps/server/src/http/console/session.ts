/** Signing in and out, and what a user does with its own account. */
import { createHash } from 'node:crypto'
import { ALLOWED, type Role, type SecondFactor, type Session, type SignedOut } from '@acopay/protocol/console'
import type { ConsoleUser, SessionUser } from '@acopay/store/read'
import { beginTotp, changeOwnPassword, disableTotp, enableTotp } from '../../actions/console/account.ts'
import { providerSignOut } from '../../actions/console/identity-provider.ts'
import { hasSecondFactor } from '../../actions/console/second-factor.ts'
import { signIn as beginSignIn, endSession, IDLE_MS, proveAgain } from '../../actions/console/session.ts'
import type { PasskeySite } from '../../security/passkey-site.ts'
import { PASSWORD_MAX } from '../../security/passwords.ts'
import type { World } from '../../world.ts'
import { Began, type ConsoleCall, type ConsoleEndpoint, Failed, failed } from './call.ts'
import { fieldsOf } from './fields.ts'
import { newPasswordIn } from './new-password.ts'
import { passkeyIn } from './passkey-fields.ts'
import { userState } from './system/users.ts'

/** The token that every call which changes something must carry. Only our own pages know it. */
export const csrfOf = (token: string): string =>
  createHash('sha256').update(`csrf ${token}`, 'utf8').digest().toString('base64url')

/** `site`: where passkeys work, for the address that was called. */
export function sessionView(
  world: World,
  { token, user, site }: { token: string; user: SessionUser; site: PasskeySite | null },
): Session {
  const role = user.role as Role
  return {
    username: user.username,
    role,
    mch_no: user.mchNo,
    permissions: ALLOWED[role].filter((permission) => permission !== 'sandbox.use' || world.isSandbox),
    csrf: csrfOf(token),
    is_sandbox: world.isSandbox,
    totp_enabled: user.isTotpEnabled,
    passkeys: user.passkeys,
    may_use_passkeys: site !== null,
    must_change_password: user.mustChangePassword,
    must_turn_totp_on: mustTurnTotpOn(world, user),
    idle_s: IDLE_MS / 1000,
  }
}

/** Whether the user's role needs a second factor, and the user has none. */
export const mustTurnTotpOn = ({ consoleRules }: World, user: SessionUser): boolean =>
  !hasSecondFactor(user) && consoleRules.totpRoles.has(user.role)

/** The same answer for every reason, so that a caller cannot find out which names exist. */
const NOT_SIGNED_IN = () =>
  failed(
    'SIGN_IN_FAILED',
    '用户名或密码不正确；同一地址连续失败5次后须等待，1分钟起',
    'The name or the password is wrong; after five failures your address has to wait, for a minute at first',
  )

const PASSWORD_ENDED = () =>
  failed(
    'SIGN_IN_FAILED',
    '一次性密码72小时内有效，现已失效；请管理员重置',
    'One-time passwords are good for 72 hours, and this one has ended; ask an admin to reset it',
  )

/** `deviceToken`: the cookie of a browser that may be known. `site`: where passkeys work, for the address that was called. */
export type SignInCall = {
  body: Record<string, unknown>
  address: string
  site: PasskeySite | null
  deviceToken: string | undefined
  signal: AbortSignal
}

/** The new session, or the reason for none. `user` is set as soon as the name is known to exist, for the audit log. */
export async function signIn(
  world: World,
  { body, address, site, deviceToken, signal }: SignInCall,
): Promise<{ user: ConsoleUser | null; answer: Began | Failed }> {
  const read = fieldsOf(body)
  const username = read.needed('username', 64).trim().toLowerCase()
  const password = read.needed('password', PASSWORD_MAX)
  const second = { code: read.text('totp', CODE_MAX), passkey: passkeyIn(body, read.say), site }
  const wrong = read.failed()
  if (wrong !== null) return { user: null, answer: wrong }
  const device = world.devices.deviceOf(username, deviceToken)
  const { user, result } = await beginSignIn(world, { username, password, second, address, device, signal })
  if (result.kind === 'second_needed') return { user, answer: SECOND_NEEDED(result.with) }
  if (result.kind === 'password_ended') return { user, answer: PASSWORD_ENDED() }
  if (result.kind === 'wrong' || user === null) return { user, answer: NOT_SIGNED_IN() }
  return { user, answer: new Began(result.token, user) }
}

export const SECOND_NEEDED = (second_factor: SecondFactor) =>
  second_factor.passkey === null
    ? failed('TOTP_REQUIRED', '请输入动态验证码或恢复码', 'Enter the code of your authenticator, or a recovery code', {
        second_factor,
      })
    : failed('TOTP_REQUIRED', '请用通行密钥，或输入验证码', 'Use your passkey, or enter a code', { second_factor })

/** A recovery code, with a blank or a hyphen here and there. */
export const CODE_MAX = 20

/** An unreadable code counts as a wrong code. */
const codeIn = (body: Record<string, unknown>): string => fieldsOf(body).text('code', CODE_MAX) ?? ''

const passwordIn = (body: Record<string, unknown>): string => fieldsOf(body).text('password', PASSWORD_MAX) ?? ''

const WRONG_PASSWORD = () =>
  failed('FIELD_INVALID', 'password 密码不正确', 'password is not your password', { field: 'password' })

const WRONG_CODE = () =>
  failed('FIELD_INVALID', 'code 验证码不正确或已使用', 'code is wrong or was used before', { field: 'code' })

async function signOut(world: World, { caller }: ConsoleCall): Promise<SignedOut> {
  const isByProvider = await endSession(world, caller.sessionKey)
  return { provider_sign_out: isByProvider ? await providerSignOut(world) : null }
}

async function changePassword(world: World, { caller, body }: ConsoleCall): Promise<Began | Failed> {
  const { username, address } = caller
  const read = fieldsOf(body)
  const password = read.needed('password', PASSWORD_MAX)
  const fresh = await newPasswordIn(read, { username, before: password })
  if (fresh instanceof Failed) return fresh
  const changed = await changeOwnPassword(world, { username, password, fresh, address })
  return changed === null ? WRONG_PASSWORD() : new Began(changed.token, changed.user)
}

async function totpBegin(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const begun = await beginTotp(world, caller.username, passwordIn(body))
  switch (begun.kind) {
    case 'wrong_password':
      return WRONG_PASSWORD()
    case 'enabled_already':
      return failed('CONFLICT', '动态验证码已启用，请先停用', 'It is on already; turn it off first')
    case 'begun':
      return { secret: begun.secret, uri: begun.uri }
  }
}

async function totpOn(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const codes = await enableTotp(world, caller.username, codeIn(body))
  return codes === null ? WRONG_CODE() : { recovery_codes: codes }
}

async function totpOff(world: World, { caller: { username }, body }: ConsoleCall): Promise<object | Failed> {
  switch (await disableTotp(world, { username, password: passwordIn(body), code: codeIn(body) })) {
    case 'wrong_password':
      return WRONG_PASSWORD()
    case 'wrong_code':
      return WRONG_CODE()
    case 'disabled':
      return {}
  }
}

const WRONG_PASSKEY = () =>
  failed('FIELD_INVALID', 'passkey 无效，请重试或改用验证码', 'passkey is not valid; try again, or use a code', {
    field: 'passkey',
  })

async function prove(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const { username, sessionKey: key, passkeySite: site } = caller
  const read = fieldsOf(body)
  const second = { code: codeIn(body) || null, passkey: passkeyIn(body, read.say), site }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  switch (await proveAgain(world, { username, password: passwordIn(body), second, key })) {
    case 'wrong_password':
      return WRONG_PASSWORD()
    case 'wrong_code':
      return WRONG_CODE()
    case 'wrong_passkey':
      return WRONG_PASSKEY()
    case 'proven':
      return {}
  }
}

const ownState = (world: World, { caller }: ConsoleCall) => userState(world, caller, caller.username)

export const sessionEndpoints: ConsoleEndpoint[] = [
  {
    method: 'POST',
    path: 'session/proof',
    permission: null,
    // Registering the first passkey needs a proof.
    isForSecondFactor: true,
    action: 'session.prove',
    handle: prove,
  },
  {
    method: 'DELETE',
    path: 'session',
    permission: null,
    isAlwaysOpen: true,
    action: 'session.end',
    handle: signOut,
  },
  {
    method: 'PUT',
    path: 'session/password',
    permission: null,
    isAlwaysOpen: true,
    action: 'session.password',
    stateOf: ownState,
    handle: changePassword,
  },
  {
    method: 'POST',
    path: 'session/totp',
    permission: null,
    isForSecondFactor: true,
    action: 'session.totp_begin',
    handle: totpBegin,
  },
  {
    method: 'PUT',
    path: 'session/totp',
    permission: null,
    isForSecondFactor: true,
    action: 'session.totp_on',
    stateOf: ownState,
    handle: totpOn,
  },
  {
    method: 'DELETE',
    path: 'session/totp',
    permission: null,
    action: 'session.totp_off',
    stateOf: ownState,
    handle: totpOff,
  },
]
