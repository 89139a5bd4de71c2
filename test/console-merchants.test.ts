/** Merchants at the console: made, changed, given keys and accounts; and a key counts from the moment it is there. */
import { generateKeyPairSync } from 'node:crypto'
import { keyText } from '@acopay/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { call, orderParams } from './support/merchant.ts'
import { alipayAuthority } from './support/oracle/alipay-certificates.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let admin: ConsoleClient
let own: ConsoleClient
let viewer: ConsoleClient
beforeAll(async () => {
  gateway = await testWorld()
  await addUser(gateway, 'boss', 'platform_admin')
  await addUser(gateway, 'shopkeeper', 'merchant_admin')
  await addUser(gateway, 'watcher', 'merchant_viewer')
  admin = await signedIn(gateway, 'boss')
  own = await signedIn(gateway, 'shopkeeper')
  viewer = await signedIn(gateway, 'watcher')
})
afterAll(() => gateway.stop())

const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { publicKey: keyText(publicKey), privateKey: keyText(privateKey) }
}

/** Whether an order can be placed as this merchant, signed with this key. */
async function places(mchNo: string, appNo: string, mchPrivateKey: string): Promise<string> {
  const demo = { ...gateway.demo, mchNo, appNo, mchPrivateKey }
  const { status, data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
  return data.code ?? String(status)
}

describe('a merchant', () => {
  it('made at the console places orders as soon as it has an app and a key', async () => {
    const made = await admin.send('POST', 'merchants', { mch_no: 'NEW-1', name: '新商户' })
    expect(made.body).toMatchObject({ mch_no: 'NEW-1', enabled: true, apps: [], keys: [], allowed_ips: [] })
    expect((await admin.send('POST', 'merchants', { mch_no: 'NEW-1', name: '又一次' })).status).toBe(409)
    expect((await admin.send('POST', 'merchants', { mch_no: 'a b', name: 'x' })).body).toMatchObject({
      field: 'mch_no',
    })
    expect((await admin.send('POST', 'merchants/NEW-1/apps', { app_no: 'APP-1', name: '收银' })).status).toBe(200)
    const { publicKey, privateKey } = pair()
    expect(await places('NEW-1', 'APP-1', privateKey)).toBe('1002')
    const pem = `-----BEGIN PUBLIC KEY-----\n${publicKey.match(/.{1,64}/g)?.join('\n')}\n-----END PUBLIC KEY-----`
    const added = await admin.send('POST', 'merchants/NEW-1/keys', { public_key: pem, overlap_hours: 24 })
    expect(added.body).toMatchObject({ key: { bits: 2048, valid_until: null }, private_key: null })
    expect(await places('NEW-1', 'APP-1', privateKey)).toBe('SUCCESS')
    await admin.send('PUT', 'merchants/NEW-1/apps/APP-1', { enabled: false })
    expect(await places('NEW-1', 'APP-1', privateKey)).toBe('1006')
    await admin.send('PUT', 'merchants/NEW-1', { enabled: false })
    expect(await places('NEW-1', 'APP-1', privateKey)).toBe('1004')
    expect((await admin.get('merchants?after=N')).body.rows).toMatchObject([{ mch_no: 'NEW-1', apps: 1, keys: 1 }])
  })

  it('is called from the addresses that are listed, and from no others', async () => {
    const { mchNo, appNo, mchPrivateKey } = gateway.demo
    const change = (allowed_ips: unknown) => own.send('PUT', `merchants/${mchNo}`, { allowed_ips })
    expect((await change(['10.0.0.0/8', 'not an address'])).body).toMatchObject({ field: 'allowed_ips' })
    expect((await change(['10.0.0.0/8'])).body).toMatchObject({ allowed_ips: ['10.0.0.0/8'] })
    expect(await places(mchNo, appNo, mchPrivateKey)).toBe('1018')
    await change(['127.0.0.0/8', '::1'])
    expect(await places(mchNo, appNo, mchPrivateKey)).toBe('SUCCESS')
    await change([])
  })

  it('says for each app which channels its payers are offered', async () => {
    const { mchNo, appNo, mchPrivateKey } = gateway.demo
    const demo = { ...gateway.demo, mchNo, appNo, mchPrivateKey }
    const offered = async (): Promise<string[]> => {
      const { data } = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
      const page = await (await fetch(data.cashier_url ?? '')).text()
      const { order } = JSON.parse(/id="order">(.*?)<\/script>/.exec(page)?.[1] ?? '')
      const ask = (channel: string) =>
        fetch(`${data.cashier_url}/attempts`, { method: 'POST', body: JSON.stringify({ channel, method: 'native' }) })
      const named = order.channels.map(({ channel }: { channel: string }) => channel)
      // What is not offered is not opened either.
      expect([(await ask('wechat')).status, (await ask('alipay')).status]).toEqual(
        ['wechat', 'alipay'].map((channel) => (named.includes(channel) ? 200 : 404)),
      )
      return named
    }
    const change = (channels: unknown) => own.send('PUT', `merchants/${mchNo}/apps/${appNo}`, { channels })
    expect(await offered()).toEqual(['wechat', 'alipay'])
    expect((await change(['alipay'])).status).toBe(200)
    expect(await offered()).toEqual(['alipay'])
    for (const wrong of [[], ['paypal'], 'wechat', [1]]) {
      expect((await change(wrong)).body).toMatchObject({ field: 'channels' })
    }
    expect((await own.send('PUT', `merchants/${mchNo}/apps/${appNo}`, { name: '演示' })).status).toBe(200)
    expect(await offered()).toEqual(['alipay'])
    expect((await change(null)).status).toBe(200)
    expect(await offered()).toEqual(['wechat', 'alipay'])
  })

  it('is changed by its own admin only where that is its own business, and by a viewer not at all', async () => {
    const { mchNo } = gateway.demo
    const { body } = await own.get(`merchants/${mchNo}`)
    expect(body.editable).toEqual(['allowed_ips', 'apps', 'keys'])
    for (const change of [{ enabled: false }, { name: '别名' }, { rate_per_second: 1000 }]) {
      expect((await own.send('PUT', `merchants/${mchNo}`, change)).status).toBe(403)
    }
    expect((await own.send('PUT', `merchants/${mchNo}/channels/wechat`, { settings: {} })).status).toBe(403)
    expect((await own.send('POST', 'merchants', { mch_no: 'MINE', name: 'x' })).status).toBe(403)
    expect((await own.get('merchants/NEW-1')).status).toBe(403)
    expect((await own.get('merchants')).body.rows).toHaveLength(1)
    expect((await viewer.send('PUT', `merchants/${mchNo}`, { allowed_ips: [] })).status).toBe(403)
    expect((await viewer.get(`merchants/${mchNo}`)).body.editable).toEqual([])
  })
})

describe('a key', () => {
  it('that replaces another leaves it valid for as long as was said, and no longer', async () => {
    const { mchNo, appNo, mchPrivateKey: old } = gateway.demo
    const fresh = pair()
    const path = `merchants/${mchNo}/keys`
    const added = await own.send('POST', path, { public_key: fresh.publicKey, overlap_hours: 2 })
    expect(added.status).toBe(200)
    expect((await own.send('POST', path, { public_key: fresh.publicKey, overlap_hours: 2 })).status).toBe(409)
    gateway.advance(7_000_000)
    expect([await places(mchNo, appNo, old), await places(mchNo, appNo, fresh.privateKey)]).toEqual([
      'SUCCESS',
      'SUCCESS',
    ])
    gateway.advance(300_000)
    expect([await places(mchNo, appNo, old), await places(mchNo, appNo, fresh.privateKey)]).toEqual(['1002', 'SUCCESS'])
    own = await signedIn(gateway, 'shopkeeper')
    admin = await signedIn(gateway, 'boss')
    const { key_id } = added.body.key
    expect((await own.send('DELETE', `${path}/${key_id}`)).status).toBe(409)
    expect((await own.send('DELETE', `${path}/nothing`)).status).toBe(404)
    const made = await own.send('POST', path, { generate: true, overlap_hours: 24 })
    expect(await places(mchNo, appNo, made.body.private_key)).toBe('SUCCESS')
    expect((await own.send('DELETE', `${path}/${key_id}`)).status).toBe(200)
    expect(await places(mchNo, appNo, fresh.privateKey)).toBe('1002')
    const everything = JSON.stringify([
      (await own.get(`merchants/${mchNo}`)).body,
      (await admin.get('audit?limit=100')).body,
    ])
    expect(everything).not.toContain(made.body.private_key.slice(40, 80))
  })

  it('that is private, weak or no key is refused in words that do not repeat it', async () => {
    const path = `merchants/${gateway.demo.mchNo}/keys`
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const privates = [
      keyText(privateKey),
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64'),
    ]
    for (const public_key of privates) {
      const { status, body } = await own.send('POST', path, { public_key, overlap_hours: 0 })
      expect([status, body.field]).toEqual([400, 'public_key'])
      expect(body.message.en).toContain('private key')
      expect(JSON.stringify(body)).not.toContain(public_key.slice(60, 100))
    }
    for (const public_key of [keyText(weak.publicKey), 'hello', '', null]) {
      expect((await own.send('POST', path, { public_key, overlap_hours: 0 })).body).toMatchObject({
        field: 'public_key',
      })
    }
  })
})

describe('a channel account', () => {
  it('keeps its secrets to itself, keeps what is left empty, and asks the upstream whether it works', async () => {
    const { mchNo } = gateway.demo
    const path = `merchants/${mchNo}/channels/wechat`
    expect((await admin.send('POST', `${path}/test`)).body).toMatchObject({ is_fine: true })
    const accountOf = async () =>
      (await admin.get(`merchants/${mchNo}`)).body.channels.find(
        ({ channel }: { channel: string }) => channel === 'wechat',
      )
    const before = await accountOf()
    const settings = Object.fromEntries(before.settings.map(({ name, value }: Record<string, string>) => [name, value]))
    expect(settings).toMatchObject({ baseUrl: '/wechat', mchPrivateKey: null, apiV3Key: null })
    const unset = before.settings.filter(({ is_set }: { is_set: boolean }) => !is_set)
    // The sandbox is no service provider.
    expect(unset.map(({ name }: { name: string }) => name)).toEqual(['subMchId', 'subAppId'])
    expect((await admin.send('PUT', path, { settings: { serialNo: '0'.repeat(40) } })).status).toBe(200)
    expect((await admin.send('POST', `${path}/test`)).body).toMatchObject({ is_fine: false })
    expect((await admin.send('PUT', path, { settings: { apiV3Key: 'short' } })).body).toMatchObject({
      field: 'apiV3Key',
    })
    expect((await admin.send('PUT', path, { settings: { mchPrivateKey: 'nonsense' } })).body).toMatchObject({
      field: 'mchPrivateKey',
    })
    expect((await admin.send('PUT', path, { settings: { serialNo: settings.serialNo } })).status).toBe(200)
    expect((await admin.send('POST', `${path}/test`)).body).toMatchObject({ is_fine: true })
    expect((await admin.send('POST', `merchants/${mchNo}/channels/cash/test`)).status).toBe(404)
  })

  it('of Alipay goes from its key to certificates and back, and shows when they end', async () => {
    const authority = alipayAuthority()
    const path = `merchants/${gateway.demo.mchNo}/channels/alipay`
    const put = async (settings: object) => {
      const { status, body } = await admin.send('PUT', path, { settings })
      return status === 200 ? 'fine' : body.field
    }
    const accountOf = async () =>
      (await admin.get(`merchants/${gateway.demo.mchNo}`)).body.channels.find(
        ({ channel }: { channel: string }) => channel === 'alipay',
      )
    const settingIn = (account: { settings: Record<string, string>[] }, wanted: string) =>
      account.settings.find(({ name }) => name === wanted)?.value
    const before = await accountOf()
    expect(before.certificates).toEqual([])
    // A field of a page drops the line breaks of what is pasted into it.
    const pasted = (text: string) => text.replaceAll(/[\r\n]/g, '')
    const files = {
      appCert: pasted(authority.appFile),
      alipayCert: pasted(authority.alipayFile),
      alipayRootCert: pasted(authority.rootFile),
    }
    expect(await put(files)).toBe('appCert')
    const mine = { ...files, appPrivateKey: authority.app.privatePem }
    expect(await put({ ...mine, alipayCert: authority.issueAlipay('51', { until: '2025-01-01T00:00:00Z' }) })).toBe(
      'alipayCert',
    )
    expect(await put({ ...mine, appCert: authority.issueApp('52', { until: '2025-01-01T00:00:00Z' }).file })).toBe(
      'appCert',
    )
    expect(await put(mine)).toBe('fine')
    const until = { valid_until: '2037-01-01T00:00:00.000Z', ends_soon: false }
    expect((await accountOf()).certificates).toEqual([
      { setting: 'appCert', ...until },
      { setting: 'alipayCert', ...until },
    ])
    const soon = new Date(Math.floor(gateway.world.now().getTime() / 1000) * 1000 + 29 * 24 * 3_600_000).toISOString()
    expect(await put({ appCert: authority.issueApp('53', { until: soon }).file })).toBe('fine')
    expect((await accountOf()).certificates[0]).toEqual({ setting: 'appCert', valid_until: soon, ends_soon: true })
    expect(await put({ appCert: '-', alipayCert: '-', alipayRootCert: '-', alipayPublicKey: '-' })).toBe(
      'alipayPublicKey',
    )
    expect(await put({ appCert: '-', alipayCert: '-', alipayRootCert: '-' })).toBe('fine')
    const after = await accountOf()
    expect(after.certificates).toEqual([])
    expect(settingIn(after, 'alipayPublicKey')).toBe(settingIn(before, 'alipayPublicKey'))
  })
})
