/** The console's users, roles, permissions and sessions. */
import type { PasskeyAnswer, PasskeyOptions } from './passkeys.ts'

export const ROLES = ['platform_admin', 'operator', 'finance', 'merchant_admin', 'merchant_viewer'] as const
export type Role = (typeof ROLES)[number]

/** A user with one of the two merchant roles belongs to one merchant and sees no other. */
export const isMerchantRole = (role: Role): boolean => role === 'merchant_admin' || role === 'merchant_viewer'

export const PERMISSIONS = [
  'orders.read',
  'orders.close',
  'refunds.create',
  'notifications.read',
  'notifications.resend',
  'bills.read',
  'reconciliation.read',
  'reconciliation.settle',
  'merchants.read',
  'merchants.write',
  'channels.write',
  'users.read',
  'users.write',
  'audit.read',
  'sandbox.use',
  'platform_keys.write',
  'alarms.read',
  'alarms.write',
  'orders.note',
] as const
export type Permission = (typeof PERMISSIONS)[number]

const READS = ['orders.read', 'notifications.read', 'bills.read', 'merchants.read'] as const satisfies Permission[]

/** The only table of permissions. The server enforces it; the pages show what it allows. */
export const ALLOWED: Record<Role, readonly Permission[]> = {
  platform_admin: PERMISSIONS,
  operator: [
    ...READS,
    'orders.close',
    'orders.note',
    'refunds.create',
    'notifications.resend',
    'reconciliation.read',
    'audit.read',
    'sandbox.use',
    'alarms.read',
  ],
  finance: [
    ...READS,
    'orders.note',
    'refunds.create',
    'reconciliation.read',
    'reconciliation.settle',
    'audit.read',
    'alarms.read',
  ],
  merchant_admin: [
    ...READS,
    'orders.close',
    'refunds.create',
    'notifications.resend',
    'merchants.write',
    'users.read',
    'users.write',
    'audit.read',
    'sandbox.use',
  ],
  merchant_viewer: READS,
}

/** The body of every answer except 200. `field` names the wrong field of the request; the messages say what to do. */
export type Failure = {
  error:
    | 'FIELD_INVALID'
    | 'SIGN_IN_FIRST'
    | 'SIGN_IN_FAILED'
    | 'TOTP_REQUIRED'
    | 'CSRF_MISSING'
    | 'PASSWORD_CHANGE_FIRST'
    | 'TOTP_FIRST'
    | 'PROOF_NEEDED'
    | 'FORBIDDEN'
    | 'NOT_FOUND'
    | 'CONFLICT'
    | 'FREQUENCY_LIMIT'
    | 'SYSTEM_ERROR'
  message: { zh: string; en: string }
  field?: string
  /** Seconds after which a retry may succeed. */
  retry_after_s?: number
  /** Of TOTP_REQUIRED: what the user may answer with. A recovery code is always good. */
  second_factor?: SecondFactor
}

/** `totp`: a code of an authenticator. `passkey`: what to ask the browser for; null where the user has no passkey that is good here. */
export type SecondFactor = { totp: boolean; passkey: PasskeyOptions | null }

/**
 * `POST session` signs in; 401 SIGN_IN_FAILED, 401 TOTP_REQUIRED (the password is right: ask for a code or a passkey, and send it with
 * the name and the password). A passkey goes before a code.
 */
export type SignInAsk = { username: string; password: string; totp?: string; passkey?: PasskeyAnswer }

/** The answer of signing in. `GET session` answers it, or null without a session. `DELETE session` signs out. */
export type Session = {
  username: string
  role: Role
  /** The merchant this user belongs to; null sees all. */
  mch_no: string | null
  permissions: readonly Permission[]
  csrf: string
  is_sandbox: boolean
  totp_enabled: boolean
  /** How many the user has. */
  passkeys: number
  /** Whether passkeys work at the address that was called: https, or localhost. */
  may_use_passkeys: boolean
  /** True after an administrator created or reset the account: only `PUT session/password` is allowed then. */
  must_change_password: boolean
  /**
   * True where the role needs a second factor (ACOPAY_TOTP_ROLES) and the user has none: only `session/totp`, `passkeys`,
   * `session/proof` and `session/password` are allowed then.
   */
  must_turn_totp_on: boolean
  /** The session ends after this many seconds without a call. */
  idle_s: number
}

/**
 * `GET sessions`: the user's own open sessions, those used last first. `DELETE sessions/:id` ends one of them. An admin ends all of
 * another user by disabling it or resetting its password.
 */
export type SessionRow = {
  id: string
  address: string
  created_at: string
  /** The last call, to the minute. */
  seen_at: string
  /** The session that asks. */
  is_this: boolean
}
export type SessionList = { rows: SessionRow[] }

/**
 * Without a session: `GET provider` answers the identity provider's name, or null; `POST provider` {} answers where the browser goes, and
 * `/console/provider/callback`, to which it comes back, leads to a page with `?provider=` and one of `PROVIDER_WORDS`. After `second`,
 * `POST provider/second` signs in as `POST session` does.
 */
export type ProviderView = { name: string }
export type ProviderDeparture = { url: string }
export const PROVIDER_WORDS = [
  'second',
  'linked',
  'unreachable',
  'denied',
  'refused',
  'over',
  'nobody',
  'taken',
  'busy',
] as const
export type ProviderWord = (typeof PROVIDER_WORDS)[number]
export type ProviderSecondAsk = { totp?: string; passkey?: PasskeyAnswer }

/**
 * `GET session/provider`: whether the user can sign in by it; `name` is null where the installation has none. `POST session/provider`
 * answers a `ProviderDeparture` that links the account, `DELETE` takes the link away.
 */
export type OwnProvider = { name: string | null; linked_at: string | null }

/** The answer of `DELETE session`. `provider_sign_out`: where a user who came by the provider can sign out of it too. */
export type SignedOut = { provider_sign_out: string | null }

/** `PUT session/password`. A password has at least 12 characters. Ends the user's other sessions. */
export type PasswordAsk = { password: string; new_password: string }

/**
 * `POST session/proof`: what an open session alone may not do (new keys, accounts, users, large refunds) is 403 PROOF_NEEDED until the
 * user has sent the password, and a code or a passkey where there is a second factor; then it is allowed for ten minutes.
 * `POST session/proof/challenge` answers the `PasskeyOptions`.
 */
export type ProofAsk = { password: string; code?: string; passkey?: PasskeyAnswer }

/**
 * The answer of `PUT session/totp`: ten codes, each of which takes the place, once, of an authenticator or a passkey that was lost. They
 * are shown once, and those before are void.
 */
export type RecoveryCodes = { recovery_codes: string[] }

/**
 * `POST session/totp` {password} answers a new secret; `PUT session/totp` {code} turns TOTP on; `DELETE session/totp`
 * {password, code} turns it off. A failure counts as a failed sign-in.
 */
export type TotpSecret = { secret: string; uri: string }
export type TotpAsk = { password?: string; code?: string }

/** One page of a list, the newest first. `next` is the `after` of the next page; null on the last page. */
export type Page<Row> = { rows: Row[]; next: string | null }
