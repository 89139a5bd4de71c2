import { expect, it } from 'vitest'
import { AUDIT_ACTIONS } from './admin.ts'
import { ALLOWED, isMerchantRole, PERMISSIONS, ROLES } from './session.ts'

/** The table of docs/console.md (Roles), permission by permission, by hand: a role may what has an x. */
const EXPECTED = `
                       platform_admin  operator  finance  merchant_admin  merchant_viewer
orders.read            x               x         x        x               x
orders.close           x               x         .        x               .
refunds.create         x               x         x        x               .
notifications.read     x               x         x        x               x
notifications.resend   x               x         .        x               .
bills.read             x               x         x        x               x
reconciliation.read    x               x         x        .               .
reconciliation.settle  x               .         x        .               .
merchants.read         x               x         x        x               x
merchants.write        x               .         .        x               .
channels.write         x               .         .        .               .
users.read             x               .         .        x               .
users.write            x               .         .        x               .
audit.read             x               x         x        x               .
sandbox.use            x               x         .        x               .
platform_keys.write    x               .         .        .               .
alarms.read            x               x         x        .               .
alarms.write           x               .         .        .               .
orders.note            x               x         x        .               .
`

it('each role may what the table of the console says, and nothing else', () => {
  const rows = PERMISSIONS.map((permission) => [
    permission,
    ...ROLES.map((role) => (ALLOWED[role].includes(permission) ? 'x' : '.')),
  ])
  const listed = [ROLES, ...rows].map((cells) => cells.join(' '))
  expect(listed).toEqual(
    EXPECTED.trim()
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' ')),
  )
})

it('no role has a permission that is not in the list, or one twice', () => {
  for (const role of ROLES) {
    expect(ALLOWED[role].filter((one) => !PERMISSIONS.includes(one))).toEqual([])
    expect(new Set(ALLOWED[role]).size).toBe(ALLOWED[role].length)
  }
})

it('two of the five roles belong to one merchant', () => {
  expect(ROLES.map((role) => [role, isMerchantRole(role)])).toEqual([
    ['platform_admin', false],
    ['operator', false],
    ['finance', false],
    ['merchant_admin', true],
    ['merchant_viewer', true],
  ])
})

it('the audit log knows a word for each call that changes something', () => {
  const expected = `
    alarm_channels.add alarm_channels.change alarm_channels.remove alarm_channels.test apps.add apps.change bulk.confirm bulk.drop channels.put channels.test invitations.accept invitations.add invitations.revoke keys.add keys.end lists.export merchants.add merchants.change
    notifications.bulk_resend notifications.resend orders.bulk_close orders.close orders.note orders.tag platform_keys.add platform_keys.end reconciliation.settle refunds.confirm refunds.create refunds.drop reversals.settle
    sandbox.deed sandbox.faults sandbox.place sandbox.time
    session.begin session.end session.end_other session.passkey_add session.passkey_remove session.password
    session.prove session.provider_begin session.provider_link session.provider_unlink session.totp_begin session.totp_off session.totp_on
    users.add users.change`
  expect([...AUDIT_ACTIONS].sort()).toEqual(expected.trim().split(/\s+/))
})
