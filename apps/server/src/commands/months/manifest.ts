/** What lies beside a month's file: what it holds, its checksum, the heads of its days, signed with the platform key. */
import { createHash, type KeyObject } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { publicKeyFrom, verifyText } from '@acopay/protocol'
import type { DayHeads } from '@acopay/store'
import { keyIdOf, type SigningKey } from '../../security/platform-key.ts'
import type { FileHead } from './check-file.ts'
import type { MonthHeader, Written } from './month-file.ts'

export type Manifest = {
  archive: MonthHeader
  file: string
  size_bytes: number
  sha256: string
  orders: number
  rows: number
  tables: { table: string; rows: number; bytes: number }[]
  /** How many orders of the month stayed in the database, by reason. */
  stayed: Record<string, number>
  /** Of the timelines in this file: each day's entries of each merchant, and the digest over them. */
  heads: FileHead[]
  /** Of those days, the heads as the gateway signed them when they were over: all orders' entries, also of those that are not here. */
  day_heads: DayHeads[]
}

type Signed = { manifest: Manifest; key_id: string; public_key: string; signature: string }

const signedText = (manifest: Manifest): string => `acopay archive manifest v1\n${JSON.stringify(manifest)}`

const manifestFile = (file: string): string => `${file}.manifest.json`

export const tablesOf = ({ totals }: Written): Manifest['tables'] =>
  [...totals].map(([table, sums]) => ({ table, ...sums }))

export async function sha256Of(file: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return { sha256: hash.digest('hex'), size: (await stat(file)).size }
}

/** It is there only when it is complete. */
export async function writeManifest(file: string, manifest: Manifest, key: SigningKey): Promise<void> {
  const signature = await key.sign(signedText(manifest))
  const signed: Signed = { manifest, key_id: key.keyId, public_key: key.publicKeyText, signature }
  const to = manifestFile(file)
  const handle = await open(`${to}.part`, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(signed, null, 1)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${to}.part`, to)
  const folder = await open(path.dirname(path.resolve(to)), 'r')
  await folder.sync().finally(() => folder.close())
}

/** The manifest of a file, whose signature and checksum were checked. `keyId` names the key that signed; whether it is the platform's, its reader knows. */
export async function provenManifest(
  file: string,
): Promise<{ manifest: Manifest; keyId: string; publicKey: KeyObject; digest: string }> {
  const { manifest, public_key, key_id, signature } = readManifest(file)
  const publicKey = keyFrom(public_key)
  if (publicKey === null || !verifyText(signedText(manifest), signature, publicKey))
    throw new Error(`清单的签名不符 (the signature of the manifest does not verify): ${manifestFile(file)}`)
  const { sha256 } = await sha256Of(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`读不到归档文件 (cannot read the file): ${file}: ${error.code}`)
  })
  if (sha256 !== manifest.sha256)
    throw new Error(`文件与清单不符，已损坏或被改动 (the file is not what the manifest says): ${file}`)
  return { manifest, keyId: key_id, publicKey, digest: keyIdOf(public_key) }
}

function keyFrom(text: string): KeyObject | null {
  try {
    return publicKeyFrom(text)
  } catch {
    return null
  }
}

function readManifest(file: string): Signed {
  try {
    const read = JSON.parse(readFileSync(manifestFile(file), 'utf8')) as Signed
    if (typeof read.manifest === 'object' && typeof read.public_key === 'string' && typeof read.signature === 'string')
      return read
  } catch {
    // Said below.
  }
  throw new Error(`读不到清单 (cannot read the manifest beside the file): ${manifestFile(file)}`)
}
