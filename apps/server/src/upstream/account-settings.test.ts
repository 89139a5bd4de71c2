import { expect, it } from 'vitest'
import { derKeys } from '../../../../test/support/keys.ts'
import { otherAccount, settingsProblem } from './account-settings.ts'

it('the other domain of WeChat Pay is no other account; another address, merchant or app is', () => {
  const before = { baseUrl: 'https://api.mch.weixin.qq.com', mchId: '1900000001', appId: 'wx1' }
  const changed = (more: object) => otherAccount('wechat', before, { ...before, ...more })
  expect(changed({ baseUrl: 'https://api2.mch.weixin.qq.com' })).toBeNull()
  expect(changed({ baseUrl: 'https://api.mch.weixin.qq.com/' })).toBeNull()
  expect(changed({ baseUrl: 'http://api2.mch.weixin.qq.com' })).toBe('baseUrl')
  expect(changed({ baseUrl: 'https://api3.mch.weixin.qq.com' })).toBe('baseUrl')
  expect(changed({ baseUrl: 'https://api.mch.weixin.qq.com/sandbox' })).toBe('baseUrl')
  expect(changed({ baseUrl: 'nowhere' })).toBe('baseUrl')
  expect(changed({ mchId: '1900000002' })).toBe('mchId')
  expect(changed({ appId: 'wx2' })).toBe('appId')
  expect(otherAccount('wechat', null, before)).toBeNull()
})

it('an account that becomes a service provider’s, or changes its sub-merchant, is another account', () => {
  const before = { baseUrl: 'https://api.mch.weixin.qq.com', mchId: '1900000001', appId: 'wx1' }
  const changed = (from: object, to: object) => otherAccount('wechat', { ...before, ...from }, { ...before, ...to })
  expect(changed({}, { subMchId: '1900000109' })).toBe('subMchId')
  expect(changed({ subMchId: '1900000109' }, {})).toBe('subMchId')
  expect(changed({ subMchId: '1900000109' }, { subMchId: '1900000110' })).toBe('subMchId')
  expect(changed({ subMchId: '1900000109' }, { subMchId: '1900000109', subAppId: 'wx2' })).toBe('subAppId')
  expect(changed({}, { subMchId: '', subAppId: '' })).toBeNull()
  // Nothing was paid through a mini-program that was not there.
  expect(changed({}, { miniAppId: 'wx2' })).toBeNull()
  expect(changed({ miniAppId: 'wx2' }, { miniAppId: 'wx3' })).toBe('miniAppId')
  expect(changed({ miniAppId: 'wx2' }, {})).toBe('miniAppId')
  expect(changed({ subMchId: '1900000109' }, { subMchId: '1900000109' })).toBeNull()
})

it('a sub-merchant has a number of its own, and an app only beside it', () => {
  const account = {
    baseUrl: 'https://api.mch.weixin.qq.com',
    mchId: '1900000001',
    appId: 'wx1',
    serialNo: 'S',
    mchPrivateKey: derKeys('ours').privateKey,
    apiV3Key: '0'.repeat(32),
    platformKeys: [],
  }
  const wrong = (more: object) => settingsProblem('wechat', { ...account, ...more }, new Date())?.field ?? null
  expect(wrong({})).toBeNull()
  expect(wrong({ subMchId: '1900000109' })).toBeNull()
  expect(wrong({ subMchId: '1900000109', subAppId: 'wx2' })).toBeNull()
  expect(wrong({ subMchId: '', subAppId: '' })).toBeNull()
  expect(wrong({ subAppId: 'wx2' })).toBe('subAppId')
  expect(wrong({ subMchId: '1900000001' })).toBe('subMchId')
  expect(wrong({ miniAppId: 'wx2' })).toBeNull()
  expect(wrong({ miniAppId: 'wx1' })).toBe('miniAppId')
  expect(wrong({ subMchId: '1900000109', subAppId: 'wx2', miniAppId: 'wx2' })).toBe('miniAppId')
  expect(wrong({ subMchId: 'a b' })).toBe('subMchId')
  expect(wrong({ subMchId: '1'.repeat(33) })).toBe('subMchId')
})
