/** An archive as a file: gzip, encrypted if told so, readable by its owner only, and there only when it is complete. */
import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { decryption, encryption, isEncrypted, type Lock, type Unlock } from './encryption.ts'
import { DAMAGED, type Piece, piecesOf } from './format.ts'

/** Writes it under another name first. Never replaces a file. */
export async function writeArchiveFile(file: string, text: AsyncIterable<Buffer>, lock: Lock): Promise<void> {
  const encrypt = encryption(lock)
  if (existsSync(file)) throw new Error(taken(file))
  const part = `${file}.${randomBytes(6).toString('hex')}.part`
  try {
    const out = createWriteStream(part, { mode: 0o600, flags: 'wx' })
    const zipped = createGzip({ level: 6 })
    await (encrypt === null
      ? pipeline(Readable.from(text), zipped, out)
      : pipeline(Readable.from(text), zipped, encrypt, out))
    await onDisk(part)
    await link(part, file)
    await onDisk(path.dirname(path.resolve(file)))
  } catch (error) {
    throw told(error, file)
  } finally {
    await rm(part, { force: true })
  }
}

const taken = (file: string): string => `文件已存在，不会覆盖 (the file exists and is not replaced): ${file}`

function told(error: unknown, file: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EEXIST') return new Error(taken(file))
  if (code !== undefined && /^E(?:ACCES|PERM|NOENT|NOSPC|ROFS|DQUOT|IO|NOTDIR)$/.test(code)) {
    return new Error(`写不了备份文件 (cannot write the archive): ${file}: ${code}`)
  }
  return error
}

async function onDisk(name: string): Promise<void> {
  const handle = await open(name, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Reads the archive once. `use` may stop early. */
export async function readArchiveFile<Result>(
  file: string,
  unlock: Unlock,
  use: (pieces: AsyncGenerator<Piece>) => Promise<Result>,
): Promise<Result> {
  const start = await startOf(file)
  const raw = createReadStream(file)
  const plain = isEncrypted(start) ? Readable.from(decryption(unlock)(raw)) : raw
  const unzipped = createGunzip()
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= error
    unzipped.destroy(error)
  }
  raw.on('error', fail)
  plain.on('error', fail)
  plain.pipe(unzipped)
  try {
    return await use(piecesOf(unzipped))
  } catch (error) {
    throw damagedOr(failure ?? error)
  } finally {
    for (const stream of [raw, plain, unzipped]) stream.destroy()
  }
}

/** An error of zlib or of age says that the bytes are not what was written. */
function damagedOr(error: unknown): unknown {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return code.startsWith('Z_') || (/stream|chunk|age|tag/i.test(message) && !/\(/.test(message))
    ? new Error(DAMAGED)
    : error
}

async function startOf(file: string): Promise<Buffer> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`读不到备份文件 (cannot read the archive): ${file}: ${error.code}`)
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(32), 0, 32, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
