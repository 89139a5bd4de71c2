/** Invitations to the console: a link that makes one user, once, for 72 hours, and is written down nowhere. */

import { addMerchant } from '@acopay/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, addUser, type ConsoleClient, consoleClient, signedIn } from './support/console.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const OWN_PASSWORD = 'quiet harbour lantern seven'

let gateway: TestWorld
let admin: ConsoleClient
let ownAdmin: ConsoleClient
let otherAdmin: ConsoleClient
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_TOTP_ROLES: 'finance', ACOPAY_RATE_PER_ADDRESS: '5000' } })
  const { world } = gateway
  await addMerchant(world.pool, { mchNo: 'MCH2', name: '别家商户' }, world.now())
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'own-admin', 'merchant_admin')
  await addUser(gateway, 'other-admin', 'merchant_admin', { mchNo: 'MCH2' })
})
afterAll(() => gateway.stop())
beforeEach(async () => {
  // The rate for one address has time to fill, and no session of the test before has gone idle.
  gateway.advance(10_000)
  admin = await signedIn(gateway, 'admin')
  ownAdmin = await signedIn(gateway, 'own-admin')
  otherAdmin = await signedIn(gateway, 'other-admin')
  gateway.advance(10_000)
})

const visitor = (): ConsoleClient => consoleClient(gateway.demo.baseUrl)
const invite = (who: ConsoleClient, username: string, role: string, mch_no: string | null = null): Promise<Answer> =>
  who.send('POST', 'invitations', { username, role, mch_no })
const tokenOf = ({ body }: Answer): string => (body.path as string).split('#')[1] ?? ''
const accept = (token: unknown, new_password: unknown = OWN_PASSWORD): Promise<Answer> =>
  visitor().send('POST', 'invitation/accept', { token, new_password })
const statesOf = async (who: ConsoleClient): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await who.get('invitations?limit=100')).body.rows.map((row: Record<string, string>) => [row.username, row.state]),
  )

describe('who is invited', () => {
  it('sees for what, chooses a password, is signed in, and can sign in again', async () => {
    const { mchNo } = gateway.demo
    const made = await invite(admin, 'new-viewer', 'merchant_viewer', mchNo)
    expect(made).toMatchObject({
      status: 200,
      body: {
        invitation: {
          username: 'new-viewer',
          role: 'merchant_viewer',
          mch_no: mchNo,
          invited_by: 'admin',
          state: 'OPEN',
        },
        path: expect.stringMatching(/^\/console\/invitation#[\w-]{43}$/),
      },
    })
    const shown = await visitor().send('POST', 'invitation', { token: tokenOf(made) })
    expect(shown.body).toEqual({
      username: 'new-viewer',
      role: 'merchant_viewer',
      mch_no: mchNo,
      expires_at: made.body.invitation.expires_at,
    })
    const accepted = await accept(tokenOf(made))
    expect(accepted).toMatchObject({
      status: 200,
      body: { username: 'new-viewer', mch_no: mchNo, role: 'merchant_viewer' },
    })
    expect(accepted.headers.get('set-cookie')).toMatch(/^acopay_console=[0-9a-f]{64}; .*HttpOnly; SameSite=Strict/)
    const again = await signedIn(gateway, 'new-viewer', OWN_PASSWORD)
    expect((await again.get('users')).status).toBe(403)
    expect((await again.get('orders')).status).toBe(200)
    expect((await statesOf(admin))['new-viewer']).toBe('USED')
  })

  it('is held to the rules of passwords, and the link stays good meanwhile', async () => {
    const token = tokenOf(await invite(admin, 'choosy', 'operator'))
    for (const bad of ['short', 'x'.repeat(201), 'password1234', 'choosy-choosy-1', '', null, 1]) {
      expect(await accept(token, bad), String(bad)).toMatchObject({ status: 400, body: { field: 'new_password' } })
      gateway.advance(1000)
    }
    expect((await accept(token)).status).toBe(200)
  })

  it('needs a second factor first where the role does', async () => {
    const accepted = await accept(tokenOf(await invite(admin, 'new-finance', 'finance')))
    expect(accepted.body).toMatchObject({ must_turn_totp_on: true, must_change_password: false })
    const cookie = accepted.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await consoleClient(gateway.demo.baseUrl, cookie).get('orders')).body).toMatchObject({
      error: 'TOTP_FIRST',
    })
  })
})

describe('a link', () => {
  it('is good once: of three who use it at once one gets in', async () => {
    const token = tokenOf(await invite(admin, 'raced', 'operator'))
    const answers = await Promise.all(Array.from({ length: 3 }, () => accept(token)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404])
    gateway.advance(10_000)
    expect((await accept(token)).body).toMatchObject({ error: 'NOT_FOUND' })
  })

  it('ends after 72 hours, and not a millisecond before', async () => {
    const token = tokenOf(await invite(admin, 'late', 'operator'))
    gateway.advance(72 * 3_600_000 - 1)
    expect((await visitor().send('POST', 'invitation', { token })).status).toBe(200)
    gateway.advance(1)
    expect((await accept(token)).status).toBe(404)
    expect((await statesOf(await signedIn(gateway, 'admin'))).late).toBe('EXPIRED')
  })

  it('that is wrong, used, revoked or over gets one answer, which names nobody', async () => {
    const used = tokenOf(await invite(admin, 'user-of-link', 'operator'))
    await accept(used)
    const made = await invite(admin, 'revoked', 'operator')
    expect((await admin.send('DELETE', `invitations/${made.body.invitation.invitation_no}`)).status).toBe(200)
    expect((await admin.send('DELETE', `invitations/${made.body.invitation.invitation_no}`)).status).toBe(404)
    const over = tokenOf(await invite(admin, 'over', 'operator'))
    gateway.advance(73 * 3_600_000)
    const tokens = [used, tokenOf(made), over, 'A'.repeat(43), '', 'x'.repeat(65), 7, null, {}]
    const answers: Answer[] = []
    for (const token of tokens) {
      gateway.advance(1000)
      answers.push(await accept(token), await visitor().send('POST', 'invitation', { token }))
    }
    for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 404, body: answers[0]?.body })
  })

  it('is void with the one who gave it out: disabled, reset, or in another role', async () => {
    await addUser(gateway, 'inviter', 'platform_admin')
    const changes = [
      { enabled: false },
      { enabled: true, reset_password: true },
      { role: 'operator' },
      { reset_totp: true },
    ]
    for (const [index, change] of changes.entries()) {
      await gateway.database.pool.query(
        `update console_user set enabled = true, role = 'platform_admin', must_change_password = false,
           password_hash = (select password_hash from console_user where username = 'admin'), password_ends_at = null
          where username = 'inviter'`,
      )
      gateway.advance(10_000)
      const token = tokenOf(await invite(await signedIn(gateway, 'inviter'), `guest-${index}`, 'operator'))
      expect((await admin.send('PUT', 'users/inviter', change)).status).toBe(200)
      expect((await accept(token)).status, JSON.stringify(change)).toBe(404)
    }
  })

  it('that finds its name taken makes nobody, and says so', async () => {
    const token = tokenOf(await invite(admin, 'contested', 'operator'))
    await addUser(gateway, 'contested', 'merchant_viewer')
    expect(await accept(token)).toMatchObject({ status: 409, body: { error: 'CONFLICT' } })
    await expect(signedIn(gateway, 'contested', OWN_PASSWORD)).rejects.toThrow('SIGN_IN_FAILED')
    expect((await signedIn(gateway, 'contested')).session?.role).toBe('merchant_viewer')
  })

  it('is tried ten times at once from one address, and no more', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => visitor().send('POST', 'invitation', { token: 'A'.repeat(43) })),
    )
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(10)
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1')
  })

  it('is taken from our own pages only', async () => {
    const token = tokenOf(await invite(admin, 'lured', 'operator'))
    const body = { token, new_password: OWN_PASSWORD }
    const form = await visitor().send('POST', 'invitation/accept', body, { 'content-type': 'text/plain' })
    expect(form).toMatchObject({ status: 400, body: { field: 'body' } })
    const other = await visitor().send('POST', 'invitation/accept', body, { 'sec-fetch-site': 'cross-site' })
    expect(other).toMatchObject({ status: 403 })
    expect((await accept(token)).status).toBe(200)
  })

  it('is in no log, in no line of the audit log and in no row of the database, and neither is the password', async () => {
    const token = tokenOf(await invite(admin, 'secretive', 'operator'))
    await accept('A'.repeat(43))
    await accept(token, 'short')
    await accept(token)
    const audit = JSON.stringify((await admin.get('audit?limit=100')).body)
    expect(audit).toContain('invitations.accept')
    const { rows } = await gateway.database.pool.query('select i::text as row from console_invitation i')
    for (const text of [audit, JSON.stringify(gateway.logged()), JSON.stringify(rows)]) {
      for (const secret of [token, Buffer.from(token, 'base64url').toString('hex'), OWN_PASSWORD]) {
        expect(text).not.toContain(secret)
      }
    }
    expect(JSON.stringify((await admin.get('invitations')).body)).not.toContain(token)
  })
})

describe("a merchant's admin", () => {
  it('invites to the own merchant, in its two roles, and to nothing else', async () => {
    const { mchNo } = gateway.demo
    expect((await invite(ownAdmin, 'colleague', 'merchant_admin', mchNo)).status).toBe(200)
    expect(await invite(ownAdmin, 'mole', 'merchant_viewer', 'MCH2')).toMatchObject({ status: 403 })
    for (const role of ['platform_admin', 'operator', 'finance']) {
      expect((await invite(ownAdmin, 'climber', role)).status, role).toBe(403)
      expect((await invite(ownAdmin, 'climber', role, mchNo)).status, role).toBe(400)
    }
    await addUser(gateway, 'looker', 'merchant_viewer')
    expect((await invite(await signedIn(gateway, 'looker'), 'friend', 'merchant_viewer', mchNo)).status).toBe(403)
  })

  it("sees and revokes the invitations of the own merchant, and knows of no others'", async () => {
    const { mchNo } = gateway.demo
    const own = await invite(admin, 'for-own', 'merchant_viewer', mchNo)
    const other = await invite(otherAdmin, 'for-other', 'merchant_viewer', 'MCH2')
    const ofPlatform = await invite(admin, 'for-platform', 'operator')
    const rows = (await ownAdmin.get('invitations?limit=100')).body.rows as { mch_no: string; username: string }[]
    expect(rows.map(({ username }) => username)).toContain('for-own')
    expect(rows.filter(({ mch_no }) => mch_no !== mchNo)).toEqual([])
    for (const { body } of [other, ofPlatform]) {
      expect((await ownAdmin.send('DELETE', `invitations/${body.invitation.invitation_no}`)).status).toBe(404)
    }
    expect((await ownAdmin.send('DELETE', `invitations/${own.body.invitation.invitation_no}`)).status).toBe(200)
    expect((await accept(tokenOf(own))).status).toBe(404)
    expect((await accept(tokenOf(other))).status).toBe(200)
  })
})

describe('an invitation', () => {
  it('of a name that is a user, or is invited already, is refused; after a revocation the name is free again', async () => {
    expect(await invite(admin, 'own-admin', 'operator')).toMatchObject({ status: 409, body: { field: 'username' } })
    const first = await invite(admin, 'twice', 'operator')
    expect(await invite(admin, 'twice', 'operator')).toMatchObject({ status: 409, body: { field: 'username' } })
    await admin.send('DELETE', `invitations/${first.body.invitation.invitation_no}`)
    expect((await invite(admin, 'twice', 'operator')).status).toBe(200)
  })

  it('needs a proof that is not older than ten minutes; revoking one needs none', async () => {
    const made = await invite(admin, 'before-proof', 'operator')
    gateway.advance(11 * 60_000)
    expect((await invite(admin, 'after-proof', 'operator')).body).toMatchObject({ error: 'PROOF_NEEDED' })
    expect((await admin.send('DELETE', `invitations/${made.body.invitation.invitation_no}`)).status).toBe(200)
  })

  it('is in the audit log of its merchant: given out, accepted, revoked', async () => {
    const { mchNo } = gateway.demo
    const made = await invite(admin, 'audited', 'merchant_viewer', mchNo)
    await accept(tokenOf(made))
    const second = await invite(ownAdmin, 'audited-2', 'merchant_viewer', mchNo)
    await ownAdmin.send('DELETE', `invitations/${second.body.invitation.invitation_no}`)
    const { rows } = (await ownAdmin.get('audit?limit=100')).body
    const lines = rows.map(
      (row: Record<string, string>) => `${row.username} ${row.action} ${row.subject} ${row.outcome}`,
    )
    for (const line of [
      'admin invitations.add audited DONE',
      'audited invitations.accept audited DONE',
      `own-admin invitations.revoke ${second.body.invitation.invitation_no} DONE`,
    ]) {
      expect(lines).toContain(line)
    }
    expect(rows.find(({ action }: { action: string }) => action === 'invitations.revoke').changes).toEqual({
      state: { before: 'OPEN', after: 'REVOKED' },
    })
  })

  it('is in the list for ninety days after its end, and is forgotten with the next one', async () => {
    await invite(admin, 'old', 'operator')
    gateway.advance(93 * 86_400_000 - 60_000)
    admin = await signedIn(gateway, 'admin')
    await invite(admin, 'newer', 'operator')
    expect((await statesOf(admin)).old).toBe('EXPIRED')
    gateway.advance(60_000)
    await invite(admin, 'newest', 'operator')
    expect(Object.keys(await statesOf(admin))).not.toContain('old')
    expect((await admin.get('invitations?limit=1')).body).toMatchObject({
      rows: [{ username: 'newest' }],
      next: expect.any(String),
    })
  })
})
