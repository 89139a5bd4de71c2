export * from './bad-setting.ts'
export * from './contract.ts'
export * from './installed.ts'
export { serviceOf as wechatServiceOf } from './wechat/hosts.ts'
