/** Variables that are no settings of the gateway, and yet are known: a misspelt one is told from them, and the manual lists them. */
import type { Both } from './setting-kinds.ts'

export type OtherVariable = {
  /** Who reads it. */
  by: 'start' | 'cli' | 'signer'
  otherwise: Both
  since: string
  isSecret?: true
} & Both

const NONE = { zh: '无', en: 'none' }
const FROM_FILE = { zh: '取自设置文件', en: 'from the settings file' }

export const OTHER_VARIABLES: Record<string, OtherVariable> = {
  ACOPAY_ENV_FILE: {
    ...{ by: 'start', otherwise: { zh: '当前目录的 `.env`', en: '`.env` in the current folder' }, since: '0.2.0' },
    zh: '存放设置的文件；`none` 表示不读取',
    en: 'the file with settings; `none`: no file is read',
  },
  UV_THREADPOOL_SIZE: {
    ...{ by: 'start', otherwise: { zh: '核数，至少4', en: 'cores, at least 4' }, since: '0.1.0' },
    zh: '签名的线程数',
    en: 'threads that sign',
  },
  ACOPAY_CONFIG: {
    ...{ by: 'cli', otherwise: { zh: '`.acopay/demo.json`', en: '`.acopay/demo.json`' }, since: '0.1.0' },
    zh: '商户的设置文件',
    en: "the merchant's settings file",
  },
  ACOPAY_BASE_URL: {
    ...{ by: 'cli', otherwise: FROM_FILE, since: '0.1.0' },
    zh: '网关的地址',
    en: "the gateway's address",
  },
  ACOPAY_MCH_NO: { ...{ by: 'cli', otherwise: FROM_FILE, since: '0.1.0' }, zh: '商户号', en: "the merchant's number" },
  ACOPAY_APP_NO: { ...{ by: 'cli', otherwise: FROM_FILE, since: '0.1.0' }, zh: '应用号', en: "the app's number" },
  ACOPAY_MCH_PRIVATE_KEY: {
    ...{ by: 'cli', otherwise: FROM_FILE, since: '0.1.0', isSecret: true },
    zh: '商户私钥',
    en: "the merchant's private key",
  },
  ACOPAY_MCH_PRIVATE_KEY_FILE: {
    ...{ by: 'cli', otherwise: NONE, since: '0.1.0' },
    zh: '存放商户私钥的文件',
    en: "a file with the merchant's private key",
  },
  ACOPAY_PLATFORM_PUBLIC_KEY: {
    ...{ by: 'cli', otherwise: FROM_FILE, since: '0.1.0' },
    zh: '平台公钥',
    en: "the platform's public key",
  },
  PKCS11_MODULE: { ...{ by: 'signer', otherwise: NONE, since: '0.1.0' }, zh: 'HSM 的程序库', en: "the HSM's library" },
  PKCS11_TOKEN: { ...{ by: 'signer', otherwise: NONE, since: '0.1.0' }, zh: '令牌的标签', en: "the token's label" },
  PKCS11_PIN_FILE: {
    ...{ by: 'signer', otherwise: NONE, since: '0.1.0' },
    zh: '存放 PIN 的文件',
    en: 'a file with the PIN',
  },
}

/** Settings of earlier versions, and what took their place. */
export const GONE: Record<string, Both> = {
  ACOPAY_SANDBOX_AHEAD_HOURS: {
    zh: '请用 `acopay sandbox time +1d`',
    en: 'use `acopay sandbox time +1d`',
  },
}
