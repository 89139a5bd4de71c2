/** A merchant's picture is judged by its bytes. */
import { LOGO_BYTES_MAX } from '@acopay/protocol/console'
import { describe, expect, it } from 'vitest'
import { logoOf, readLogoFile } from './logo-file.ts'

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))
const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const u16 = (value: number): number[] => [value >> 8, value & 255]

const png = (width: number, height: number, more = ''): Buffer =>
  bytes('\x89PNG\r\n\x1a\n', u32(13), 'IHDR', u32(width), u32(height), [8, 6, 0, 0, 0], u32(0), more)
const jpeg = (width: number, height: number): Buffer =>
  bytes(
    [0xff, 0xd8, 0xff, 0xe0],
    u16(4),
    'ab',
    [0xff, 0xff, 0xc4],
    u16(3),
    'x',
    [0xff, 0xc2],
    u16(17),
    [8],
    u16(height),
    u16(width),
    'rest',
  )
const riff = (kind: string, ...parts: (string | number[])[]): Buffer =>
  bytes('RIFF', u32(0), 'WEBP', kind, u32(0), ...parts)
const low24 = (value: number): number[] => [value & 255, (value >> 8) & 255, value >> 16]
const webp = (width: number, height: number, flags = 0): Buffer =>
  riff('VP8X', [flags, 0, 0, 0], low24(width - 1), low24(height - 1))

const typeOf = (file: Buffer): string => {
  const found = logoOf(file)
  return 'bytes' in found ? found.type : found.en
}

describe('a picture', () => {
  it.each([
    ['a PNG', png(1024, 1), 'image/png'],
    ['a JPEG', jpeg(120, 80), 'image/jpeg'],
    ['a lossy WebP', riff('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0, 4, 1, 0]), 'image/webp'],
    ['a lossless WebP', riff('VP8L', [0x2f], [0xff, 0xc3, 0xff, 0]), 'image/webp'],
    ['a WebP with a header for more', webp(1024, 1024), 'image/webp'],
  ])('that is %s is taken as what its bytes say', (_what, file, type) => {
    expect(typeOf(file)).toBe(type)
  })

  it.each([
    ['wide', png(1025, 1)],
    ['high', jpeg(1, 1025)],
    ['wide, of WebP', webp(1025, 1)],
    ['wide, of lossless WebP', riff('VP8L', [0x2f], [0x00, 0x04, 0, 0])],
    ['small', png(0, 1)],
  ])('that is too %s is refused', (_what, file) => {
    expect(typeOf(file)).toBe('should be at most 1024 pixels wide and high')
  })

  it.each([
    ['PNG', png(10, 10, '\0\0\0\x08acTL')],
    ['WebP', webp(10, 10, 0x02)],
  ])('that moves, of %s, is refused', (_what, file) => {
    expect(typeOf(file)).toBe('should not be a moving picture')
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['an SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['a page', bytes('<!doctype html><img src=x>')],
    ['a GIF', bytes('GIF89a', [1, 0, 1, 0])],
    ['a PNG that ends in its beginning', png(1, 1).subarray(0, 18)],
    ['a JPEG without a frame', bytes([0xff, 0xd8, 0xff, 0xe0], u16(4), 'ab', [0, 0, 0, 0, 0, 0, 0, 0])],
    ['a JPEG that ends in a segment', jpeg(1, 1).subarray(0, 14)],
    ['a WebP of no kind', riff('VP9 ', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ])('is not %s', (_what, file) => {
    expect(typeOf(file)).toBe('should be a PNG, JPEG or WebP picture')
  })

  it('may have 32 KB and not a byte more', () => {
    const [most, over] = [0, 1].map((more) =>
      Buffer.concat([png(9, 9), Buffer.alloc(LOGO_BYTES_MAX + more - png(9, 9).length)]),
    )
    expect(typeOf(most as Buffer)).toBe('image/png')
    expect(typeOf(over as Buffer)).toBe('should be at most 32 KB')
    expect(readLogoFile(most?.toString('base64'))).toMatchObject({ type: 'image/png' })
    expect(readLogoFile(over?.toString('base64'))).toMatchObject({ en: 'should be at most 32 KB' })
  })

  it.each([1, true, {}, [], '', '*', 'a', 'iVBORw0KGgo', `${png(9, 9).toString('base64')}\n`])(
    'in Base64 is not %j',
    (given) => {
      expect(readLogoFile(given)).toMatchObject({ en: 'should be a PNG, JPEG or WebP picture' })
    },
  )

  it('has a digest of its bytes: another picture has another one', () => {
    const [one, same, other] = [png(9, 9), png(9, 9), png(9, 8)].map((file) => logoOf(file))
    expect(one).toEqual(same)
    expect(one).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(one).not.toMatchObject({ digest: (other as { digest: string }).digest })
  })
})
