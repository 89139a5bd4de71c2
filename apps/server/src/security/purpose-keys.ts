/**
 * Keys for a purpose each, shared by all processes. They are made once from the master key and kept sealed, so that they outlive a
 * change of the master key: links that were given out before it still open, and rows that were stamped before it still verify.
 */
import { addPurposeKey, type Db, findPurposeKey } from '@acopay/store'
import { derivedKey, type MasterKeys, seal, unseal } from './vault.ts'

const PURPOSES = [
  'bill link',
  'cashier link',
  'timeline stamp',
  'audit stamp',
  'statement stamp',
  'console device',
  'number',
] as const
export type Purpose = (typeof PURPOSES)[number]

export const purposePlace = (purpose: string): string => `purpose_key/${purpose}`

/** Makes the missing ones. */
export async function loadPurposeKeys(db: Db, master: MasterKeys): Promise<(purpose: Purpose) => Buffer> {
  const keys = new Map<Purpose, Buffer>()
  for (const purpose of PURPOSES) keys.set(purpose, await loadPurposeKey(db, master, purpose))
  return (purpose) => keys.get(purpose) as Buffer
}

async function loadPurposeKey(db: Db, master: MasterKeys, purpose: Purpose): Promise<Buffer> {
  const place = purposePlace(purpose)
  let sealed = await findPurposeKey(db, purpose)
  if (sealed === null) {
    // The oldest master key: the one that made links before these keys were kept.
    const made = derivedKey(master.keys.at(-1) as Buffer, purpose)
    await addPurposeKey(db, purpose, seal(master, place, made.toString('base64')))
    sealed = await findPurposeKey(db, purpose)
  }
  if (sealed === null) throw new Error(`no key for ${purpose}`)
  return Buffer.from(unseal(master, place, sealed), 'base64')
}
