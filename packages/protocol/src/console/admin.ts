/** Merchants with their apps, keys and channels; users; the audit log; the sandbox page. */
import type { OrderStateName } from './orders.ts'
import type { Page, Role } from './session.ts'

/** `GET merchants` (`search`: a part of the number or the name); `POST merchants` adds one; `GET merchants/{mch_no}` answers `MerchantDetail`. */
export type MerchantRow = {
  mch_no: string
  name: string
  enabled: boolean
  created_at: string
  apps: number
  keys: number
}
export type MerchantList = Page<MerchantRow>
export type NewMerchant = { mch_no: string; name: string }

export type MerchantDetail = {
  mch_no: string
  name: string
  enabled: boolean
  created_at: string
  /** Addresses or CIDR blocks from which the merchant may call; empty means any. */
  allowed_ips: string[]
  /** Requests a second; null is the gateway's default. */
  rate_per_second: number | null
  apps: AppRow[]
  keys: KeyRow[]
  channels: ChannelAccountRow[]
  /** The platform's keys, with which the merchant verifies answers and notifications. */
  platform_keys: { key_id: string; public_key: string; valid_from: string; valid_until: string | null }[]
  /** Rows that the user may change: 'name', 'enabled', 'rate_per_second', 'allowed_ips', 'apps', 'keys', 'channels'. */
  editable: string[]
}

/** `PUT merchants/{mch_no}`: an absent field does not change. */
export type MerchantChange = {
  name?: string
  enabled?: boolean
  allowed_ips?: string[]
  rate_per_second?: number | null
}

/**
 * `POST merchants/{mch_no}/apps` {app_no, name}; `PUT merchants/{mch_no}/apps/{app_no}` changes what it names, and null takes it away.
 * `channels`: the channels offered to payers of the app's orders; null means all channels for which the merchant has an
 * account. `return_url`: where the payer's page leads back to; `brand_color`: `#rrggbb`; `logo`: the path of the picture.
 * `told_of_sent_back`: whether the merchant has a notification of each payment of the app's orders that was sent back.
 */
export type AppRow = {
  app_no: string
  name: string
  enabled: boolean
  channels: string[] | null
  return_url: string | null
  brand_color: string | null
  logo: string | null
  told_of_sent_back: boolean
  created_at: string
}
export type NewApp = { app_no: string; name: string }
/** `logo`: the file in Base64, PNG, JPEG or WebP, of at most `LOGO_BYTES_MAX`. */
export type AppChange = {
  name?: string
  enabled?: boolean
  channels?: string[] | null
  return_url?: string | null
  brand_color?: string | null
  logo?: string | null
  told_of_sent_back?: boolean
}
export const RETURN_URL_MAX = 512
export const LOGO_BYTES_MAX = 32_768
export const LOGO_PIXELS_MAX = 1024

/**
 * `POST merchants/{mch_no}/keys` uploads a public key (PEM or Base64 SPKI, RSA of 2048 bits or more); earlier keys stay
 * valid for `overlap_hours`. With `generate` the gateway makes a pair and answers its private key, this once.
 * `DELETE merchants/{mch_no}/keys/{key_id}` ends a key at once, except the last one of an enabled merchant (409).
 */
export type KeyRow = {
  key_id: string
  fingerprint: string
  bits: number
  valid_from: string
  valid_until: string | null
}
export type NewKey = { public_key: string; overlap_hours: number } | { generate: true; overlap_hours: number }
export type MadeKey = { key: KeyRow; private_key: string | null }

/**
 * `PUT merchants/{mch_no}/channels/{channel}` takes the settings as texts by name. Secrets are write-only: `is_set`
 * tells whether one is stored, and an empty one does not change. A dash takes an optional setting away. `POST merchants/{mch_no}/channels/{channel}/test`
 * calls the upstream.
 */
export type ChannelAccountRow = {
  channel: string
  is_configured: boolean
  changed_at: string | null
  /** The upstream's word for refusing this account's requests as such, and since when; null while it accepts them. */
  complaint: string | null
  complained_at: string | null
  /** The certificates among the settings. `ends_soon`: within 30 days, or ended. */
  certificates: { setting: string; valid_until: string; ends_soon: boolean }[]
  settings: {
    name: string
    label: { zh: string; en: string }
    is_secret: boolean
    is_set: boolean
    value: string | null
  }[]
}
export type ChannelAccountAsk = { settings: Record<string, string> }
export type ChannelTest = { is_fine: boolean; ms: number; message: { zh: string; en: string } }

/**
 * `GET users`; `POST users` answers a one-time password; `PUT users/{username}` changes a user. A merchant admin sees
 * the users of its own merchant.
 */
export type UserRow = {
  username: string
  role: Role
  mch_no: string | null
  enabled: boolean
  totp_enabled: boolean
  /** How many the user has. */
  passkeys: number
  locked_until: string | null
  last_signed_in_at: string | null
  created_at: string
}
export type UserList = Page<UserRow>
export type NewUser = { username: string; role: Role; mch_no: string | null }
/** `reset_totp` drops every second factor: the authenticator, the passkeys and the recovery codes. */
export type UserChange = { role?: Role; enabled?: boolean; unlock?: true; reset_password?: true; reset_totp?: true }
/** `password` when the gateway made a new one: it is shown this once. */
export type UserChanged = { user: UserRow; password: string | null }

/**
 * `GET invitations`: the newest first. `POST invitations` answers a link, this once; it is good for `INVITATION_HOURS`, for one person.
 * `DELETE invitations/{invitation_no}` revokes one that is open. A merchant admin invites to its own merchant, and sees those of it.
 */
export const INVITATION_HOURS = 72
export const INVITATION_STATES = ['OPEN', 'USED', 'REVOKED', 'EXPIRED'] as const
export type InvitationRow = {
  invitation_no: string
  username: string
  role: Role
  mch_no: string | null
  invited_by: string
  state: (typeof INVITATION_STATES)[number]
  created_at: string
  expires_at: string
}
export type InvitationList = Page<InvitationRow>
/** `path`: from the gateway's address on. What follows its `#` is the secret, which browsers send to nobody. */
export type InvitationMade = { invitation: InvitationRow; path: string }

/**
 * Without a session: `POST invitation` {token} tells whom a link invites; `POST invitation/accept` makes the user, signs in, and
 * answers the `Session`. A link that is wrong, was used, was revoked or has ended: 404.
 */
export type InvitationAsk = { token: string }
export type InvitationShown = { username: string; role: Role; mch_no: string | null; expires_at: string }
export type InvitationAccept = { token: string; new_password: string }

/**
 * `GET platform-keys`: the keys with which answers and notifications are signed, the newest first; of those that are valid the newest
 * signs. `POST platform-keys` makes one that signs `days` from now, 0 to 90; merchants see it at once. `DELETE platform-keys/:key_id`:
 * it signs no more; 409 when no other one could.
 */
export type PlatformKeyRow = {
  key_id: string
  public_key: string
  valid_from: string
  valid_until: string | null
  signs_now: boolean
}
export type PlatformKeyList = { rows: PlatformKeyRow[]; next: null }

/** All actions in the audit log. Each call that changes something has one of these names. */
export const AUDIT_ACTIONS = [
  'session.begin',
  'session.end',
  'session.end_other',
  'session.password',
  'session.prove',
  'session.totp_begin',
  'session.totp_on',
  'session.totp_off',
  'session.passkey_add',
  'session.passkey_remove',
  'session.provider_begin',
  'session.provider_link',
  'session.provider_unlink',
  'orders.close',
  'orders.bulk_close',
  'bulk.confirm',
  'bulk.drop',
  'orders.note',
  'orders.tag',
  'refunds.create',
  'refunds.confirm',
  'refunds.drop',
  'notifications.resend',
  'notifications.bulk_resend',
  'reconciliation.settle',
  'reversals.settle',
  'lists.export',
  'merchants.add',
  'merchants.change',
  'apps.add',
  'apps.change',
  'keys.add',
  'keys.end',
  'platform_keys.add',
  'platform_keys.end',
  'channels.put',
  'channels.test',
  'users.add',
  'users.change',
  'invitations.add',
  'invitations.revoke',
  'invitations.accept',
  'alarm_channels.add',
  'alarm_channels.change',
  'alarm_channels.remove',
  'alarm_channels.test',
  'sandbox.place',
  'sandbox.deed',
  'sandbox.faults',
  'sandbox.time',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** A row of `GET audit` and a line of `GET audit.jsonl` (`username`, `action`, `mch_no`, `from`, `until`). Never contains a secret. */
export type AuditRow = {
  audit_no: string
  at: string
  username: string
  address: string
  action: string
  mch_no: string | null
  subject: string | null
  outcome: string
  detail: Record<string, unknown>
  /** What the call changed, by name. A secret is a mark of eight hexadecimal digits, which is another one for another secret. */
  changes: Record<string, { before: unknown; after: unknown }>
}
export type AuditList = Page<AuditRow>

/** `POST sandbox/orders` places a test order for the user's merchant, else the demo merchant. In sandbox mode only. */
export type SandboxOrderAsk = { amount: string; description: string; notify: 'ok' | 'slow' | 'fail' }
export type SandboxOrder = { mch_no: string; transaction_no: string }

/**
 * `POST sandbox/orders/{mch_no}/{transaction_no}/operations`: one action each. `GET` on the same path answers `SandboxView`.
 * `open` opens a payment attempt; `scan`, `pay`, `pay_anyway` (the upstream takes money for a closed trade), `give_back` (the
 * upstream refunds by itself) and `expire` act on `attempt_no`; `close` and `close_twice` are calls of the merchant; `close_and_pay` does both at the
 * same moment; `scenario` runs a whole scenario.
 */
export type SandboxOperation =
  | { operation: 'open'; channel: string; method: string }
  | { operation: 'scan' | 'pay' | 'pay_anyway' | 'give_back' | 'expire'; attempt_no: string }
  | { operation: 'close' | 'close_twice' }
  | { operation: 'close_and_pay'; attempt_no: string }
  | { operation: 'refund'; amount: string }
  | { operation: 'scenario'; scenario: 'late_payment' | 'two_codes_paid' | 'lost_close_answer' | 'paid_while_closing' }
export type SandboxDone = { told: { zh: string; en: string }; attempt_no?: string; pay_url?: string | null }

/**
 * `GET`/`PUT sandbox/faults/{channel}` {faults}: the faults of the simulated upstream (docs/sandbox.md); `[]` ends
 * them.
 */
export type SandboxFault = {
  kind: string
  verb?: string
  tradeNo?: string
  probability?: number
  times?: number
  ms?: number
}

/**
 * `GET sandbox/time`: what time it is in the sandbox. `POST sandbox/time` {to}: moves its clock on, to `+1d` or a moment, and answers
 * when it is there.
 */
export type SandboxTime = { time: string; ahead_s: number }

/** `GET sandbox/demo`: the demo merchant's keys for the API explorer, Base64 DER. */
export type SandboxDemo = { mch_no: string; app_no: string; private_key: string; platform_public_key: string }

export type SandboxView = {
  state: OrderStateName
  cashier_url: string
  /** The state of each attempt at the simulated upstream. */
  upstream: { attempt_no: string; channel: string; state: string; taken: string; returned: string }[]
  /** The notifications that the test shop has received, the newest first. */
  heard: { at: string; kind: string; code: string; answered: string }[]
}
