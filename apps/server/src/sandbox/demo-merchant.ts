/** Sandbox mode only: a demo merchant with an app, and the settings that a client needs to call as this merchant. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { keyText, privateKeyFrom } from '@acopay/protocol'
import { addApp, addMerchant, addMerchantKey, type Db, findMerchant } from '@acopay/store'
import { keyIdOf } from '../security/platform-key.ts'
import { writePrivateFile } from '../security/private-file.ts'

export const DEMO = { mchNo: 'MCH1000000', appNo: 'APP1000000' } as const

/** The contents of `demo.json`; keys as Base64 DER. */
export type DemoSettings = {
  baseUrl: string
  mchNo: string
  appNo: string
  mchPrivateKey: string
  platformPublicKey: string
}

/** The demo merchant's private key; `isNew`: no file holds it yet. */
export type DemoKey = { mchPrivateKey: string; isNew: boolean }

/**
 * Adds the demo merchant on the first start. Its private key is only in `demo.json`. If that file is missing or belongs to
 * another database, the merchant gets another key.
 */
export async function seedDemo(db: Db, home: string, now: Date): Promise<DemoKey> {
  await addMerchant(db, { mchNo: DEMO.mchNo, name: '演示商户 Demo' }, now)
  await addApp(db, { ...DEMO, name: '演示应用 Demo' }, now)
  const merchant = await findMerchant(db, DEMO.mchNo, now)
  const known = readPrivateKey(home)
  const isKnown = known !== null && merchant?.publicKeys.includes(publicTextOf(known))
  return isKnown ? { mchPrivateKey: known, isNew: false } : { mchPrivateKey: await addDemoKey(db, now), isNew: true }
}

export const demoFile = (home: string): string => path.join(home, 'demo.json')

export const writeDemo = (home: string, settings: Omit<DemoSettings, 'mchNo' | 'appNo'>): void => {
  const { baseUrl, ...keys } = settings
  writePrivateFile(demoFile(home), `${JSON.stringify({ baseUrl, ...DEMO, ...keys }, null, 2)}\n`, 'replace')
}

/** The contents of `demo.json` in `home`; null when the file cannot be read. */
export function readDemo(home: string): DemoSettings | null {
  try {
    return JSON.parse(readFileSync(demoFile(home), 'utf8')) as DemoSettings
  } catch {
    return null
  }
}

function readPrivateKey(home: string): string | null {
  try {
    return keyText(privateKeyFrom(readDemo(home)?.mchPrivateKey ?? ''))
  } catch {
    return null
  }
}

const publicTextOf = (privateText: string): string => keyText(createPublicKey(privateKeyFrom(privateText)))

async function addDemoKey(db: Db, now: Date): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicText = keyText(publicKey)
  await addMerchantKey(db, {
    mchNo: DEMO.mchNo,
    keyId: keyIdOf(publicText),
    publicKey: publicText,
    validFrom: now,
    validUntil: null,
  })
  return keyText(privateKey)
}
