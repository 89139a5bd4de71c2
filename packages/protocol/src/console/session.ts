/** Who is at the console, and what they may do. */

export const ROLES = ['platform_admin', 'operator', 'finance', 'merchant_admin', 'merchant_viewer'] as const
export type Role = (typeof ROLES)[number]

/** The last two belong to one merchant and see nothing of another. */
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
] as const
export type Permission = (typeof PERMISSIONS)[number]

const READS = ['orders.read', 'notifications.read', 'bills.read', 'merchants.read'] as const satisfies Permission[]

/** The only table of who may do what; the server holds it, the pages draw what it allows. */
export const ALLOWED: Record<Role, readonly Permission[]> = {
  platform_admin: PERMISSIONS,
  operator: [
    ...READS,
    'orders.close',
    'refunds.create',
    'notifications.resend',
    'reconciliation.read',
    'audit.read',
    'sandbox.use',
  ],
  finance: [...READS, 'refunds.create', 'reconciliation.read', 'reconciliation.settle', 'audit.read'],
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

/** What every answer but 200 holds. `field` names what is wrong in the request; both messages say what to do. */
export type Failure = {
  error:
    | 'FIELD_INVALID'
    | 'SIGN_IN_FIRST'
    | 'SIGN_IN_FAILED'
    | 'TOTP_REQUIRED'
    | 'CSRF_MISSING'
    | 'PASSWORD_CHANGE_FIRST'
    | 'FORBIDDEN'
    | 'NOT_FOUND'
    | 'CONFLICT'
    | 'FREQUENCY_LIMIT'
    | 'SYSTEM_ERROR'
  message: { zh: string; en: string }
  field?: string
  /** Seconds, where waiting helps. */
  retry_after_s?: number
}

/** `POST session` signs in; 401 SIGN_IN_FAILED, 401 TOTP_REQUIRED (ask for the code, send all three). */
export type SignInAsk = { username: string; password: string; totp?: string }

/** What signing in answers; `GET session` answers it, or null where nobody is signed in. `DELETE session` signs out. */
export type Session = {
  username: string
  role: Role
  /** The merchant this user belongs to; null sees all. */
  mch_no: string | null
  permissions: readonly Permission[]
  csrf: string
  is_sandbox: boolean
  totp_enabled: boolean
  /** Set by whoever made the account or reset it: nothing else is allowed before `PUT session/password`. */
  must_change_password: boolean
  /** Not asked anything for so long, the session ends; in seconds. */
  idle_s: number
}

/** `PUT session/password`. At least 12 characters; ends the user's other sessions. */
export type PasswordAsk = { password: string; new_password: string }

/**
 * `POST session/totp` {password} answers a new secret; `PUT session/totp` {code} turns it on; `DELETE session/totp` {password,
 * code} off. What fails there counts like a sign-in in vain.
 */
export type TotpSecret = { secret: string; uri: string }
export type TotpAsk = { password?: string; code?: string }

/** One page of a list, the newest first. `next` goes into `after=` for the page behind it; null on the last. */
export type Page<Row> = { rows: Row[]; next: string | null }
