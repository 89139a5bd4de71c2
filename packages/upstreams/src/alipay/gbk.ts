/** GBK, which Node can read and cannot write. */

let table: Map<string, Buffer> | null = null

/** Every character that two bytes of GBK stand for. */
function tableOf(): Map<string, Buffer> {
  const decoder = new TextDecoder('gbk')
  const made = new Map<string, Buffer>()
  for (let lead = 0x81; lead <= 0xfe; lead += 1) {
    for (let trail = 0x40; trail <= 0xfe; trail += 1) {
      const bytes = Buffer.from([lead, trail])
      const text = decoder.decode(bytes)
      if (trail !== 0x7f && [...text].length === 1 && text !== '\ufffd') made.set(text, bytes)
    }
  }
  return made
}

/** What GBK has no character for becomes a question mark. */
export function encodeGbk(text: string): Buffer {
  table ??= tableOf()
  const known = table
  return Buffer.concat(
    [...text].map((character) =>
      (character.codePointAt(0) ?? 0) < 0x80 ? Buffer.from(character) : (known.get(character) ?? Buffer.from('?')),
    ),
  )
}
