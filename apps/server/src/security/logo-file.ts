/**
 * A picture that a merchant uploads, judged by its own bytes and never by what the uploader calls it. Scripts can hide in SVG, so it is
 * not taken; a moving picture would move for payers who asked for none; and a small file can unpack to an enormous one.
 */
import { createHash } from 'node:crypto'
import { LOGO_BYTES_MAX, LOGO_PIXELS_MAX } from '@acopay/protocol/console'

export type LogoFile = { bytes: Buffer; type: string; digest: string }
type Problem = { zh: string; en: string }
type Size = { width: number; height: number }
type Kind = {
  type: string
  isIt: (bytes: Buffer) => boolean
  sizeOf: (bytes: Buffer) => Size | null
  moves: (bytes: Buffer) => boolean
}

const BASE64 = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/

const NOT_ONE: Problem = { zh: '应为 PNG、JPEG 或 WebP 图片', en: 'should be a PNG, JPEG or WebP picture' }
const KIB = LOGO_BYTES_MAX / 1024

/** `given`: the file in Base64. */
export function readLogoFile(given: unknown): LogoFile | Problem {
  if (typeof given !== 'string' || given === '') return NOT_ONE
  if (given.length > Math.ceil(LOGO_BYTES_MAX / 3) * 4) return tooLarge()
  if (!BASE64.test(given)) return NOT_ONE
  return logoOf(Buffer.from(given, 'base64'))
}

export function logoOf(bytes: Buffer): LogoFile | Problem {
  if (bytes.length > LOGO_BYTES_MAX) return tooLarge()
  const kind = KINDS.find(({ isIt }) => isIt(bytes))
  const size = kind?.sizeOf(bytes) ?? null
  if (kind === undefined || size === null) return NOT_ONE
  if (kind.moves(bytes)) return { zh: '不能是动图', en: 'should not be a moving picture' }
  if ([size.width, size.height].some((side) => side < 1 || side > LOGO_PIXELS_MAX)) {
    return {
      zh: `宽和高不能超过${LOGO_PIXELS_MAX}像素`,
      en: `should be at most ${LOGO_PIXELS_MAX} pixels wide and high`,
    }
  }
  return { bytes, type: kind.type, digest: createHash('sha256').update(bytes).digest('hex').slice(0, 32) }
}

const tooLarge = (): Problem => ({ zh: `不能超过 ${KIB} KB`, en: `should be at most ${KIB} KB` })

const has = (bytes: Buffer, at: number, text: string): boolean =>
  bytes.toString('latin1', at, at + text.length) === text

/** A whole number of so many bytes; null where the file ends before it. */
const whole = (bytes: Buffer, at: number, length: number, order: 'big' | 'little'): number | null => {
  if (at + length > bytes.length) return null
  return order === 'big' ? bytes.readUIntBE(at, length) : bytes.readUIntLE(at, length)
}

const sized = (width: number | null, height: number | null): Size | null =>
  width === null || height === null ? null : { width, height }

const PNG: Kind = {
  type: 'image/png',
  isIt: (bytes) => has(bytes, 0, '\x89PNG\r\n\x1a\n') && has(bytes, 12, 'IHDR'),
  sizeOf: (bytes) => sized(whole(bytes, 16, 4, 'big'), whole(bytes, 20, 4, 'big')),
  moves: (bytes) => bytes.includes('acTL'),
}

const JPEG: Kind = {
  type: 'image/jpeg',
  isIt: (bytes) => has(bytes, 0, '\xff\xd8\xff'),
  sizeOf: jpegSize,
  moves: () => false,
}

/** Goes from segment to segment until the one that begins the frame (SOF0 to SOF15, without the three that are something else). */
function jpegSize(bytes: Buffer): Size | null {
  for (let at = 2; at + 9 <= bytes.length; ) {
    const marker = bytes[at + 1] as number
    if (bytes[at] !== 0xff) return null
    // A marker may be filled up with any number of 0xff before it.
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
    }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return null
}

const WEBP: Kind = {
  type: 'image/webp',
  isIt: (bytes) => has(bytes, 0, 'RIFF') && has(bytes, 8, 'WEBP'),
  sizeOf: webpSize,
  moves: (bytes) => has(bytes, 12, 'VP8X') && ((bytes[20] ?? 0) & 0x02) !== 0,
}

/** The three kinds of WebP write their size in three ways: lossy, lossless, and with a header for more. */
function webpSize(bytes: Buffer): Size | null {
  if (has(bytes, 12, 'VP8 ')) {
    const [width, height] = [whole(bytes, 26, 2, 'little'), whole(bytes, 28, 2, 'little')]
    return width === null || height === null ? null : { width: width & 0x3fff, height: height & 0x3fff }
  }
  if (has(bytes, 12, 'VP8L')) {
    const bits = whole(bytes, 21, 4, 'little')
    return bits === null ? null : { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  if (!has(bytes, 12, 'VP8X')) return null
  const [width, height] = [whole(bytes, 24, 3, 'little'), whole(bytes, 27, 3, 'little')]
  return width === null || height === null ? null : { width: width + 1, height: height + 1 }
}

const KINDS: readonly Kind[] = [PNG, JPEG, WEBP]
