/**
 * The settings: variables named ACOPAY_…, and for those that are not set the JSON file that ACOPAY_CONFIG names, by default
 * `.acopay/demo.json`, which the sandbox writes. The command line of the gateway reads the same.
 */
import { existsSync, readFileSync } from 'node:fs'

const NAMES = {
  baseUrl: 'ACOPAY_BASE_URL',
  mchNo: 'ACOPAY_MCH_NO',
  appNo: 'ACOPAY_APP_NO',
  mchPrivateKey: 'ACOPAY_MCH_PRIVATE_KEY',
  platformPublicKey: 'ACOPAY_PLATFORM_PUBLIC_KEY',
} as const

export type Settings = {
  gateway: Record<keyof typeof NAMES, string>
  /** What is sold, and for how much: yuan with two decimals. */
  thing: { description: string; amount: string }
  /** Where the shop listens, and its address as the gateway reaches it: HTTPS, except on the sandbox's own machine. */
  host: string
  port: number
  url: string
  databaseFile: string
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const port = Number(env.PORT ?? 3000)
  return {
    gateway: readGateway(env),
    thing: { description: env.SHOP_THING ?? '一杯咖啡 A coffee', amount: env.SHOP_PRICE ?? '12.50' },
    host: env.HOST ?? '127.0.0.1',
    port,
    url: env.SHOP_URL ?? `http://127.0.0.1:${port}`,
    databaseFile: env.SHOP_DATABASE ?? 'shop.db',
  }
}

function readGateway(env: NodeJS.ProcessEnv): Settings['gateway'] {
  const file = env.ACOPAY_CONFIG ?? '.acopay/demo.json'
  const saved: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const read = (name: keyof typeof NAMES): string => env[NAMES[name]] ?? saved[name] ?? ''
  const missing = Object.entries(NAMES).filter(([name]) => read(name as keyof typeof NAMES) === '')
  if (missing.length > 0) {
    const names = missing.map(([, variable]) => variable).join(' ')
    throw new Error(`缺少设置 ${names}，也不在文件 ${file} 中 (settings missing, here and in that file; see README.md)`)
  }
  return {
    baseUrl: read('baseUrl'),
    mchNo: read('mchNo'),
    appNo: read('appNo'),
    mchPrivateKey: read('mchPrivateKey'),
    platformPublicKey: read('platformPublicKey'),
  }
}
