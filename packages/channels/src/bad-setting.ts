/** A setting of an account with which no channel can be made. The error contains no part of the setting. */
export class BadSetting extends Error {
  readonly setting: string
  readonly says: { zh: string; en: string }
  constructor(setting: string, zh: string, en: string) {
    super(`${setting}: ${en}`)
    this.setting = setting
    this.says = { zh, en }
  }
}
