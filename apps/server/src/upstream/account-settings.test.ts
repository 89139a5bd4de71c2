import { expect, it } from 'vitest'
import { otherAccount } from './account-settings.ts'

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
