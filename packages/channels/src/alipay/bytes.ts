/**
 * What Alipay sends, as bytes: signatures cover bytes, and not every message is UTF-8. Alipay may write GBK even to an app that
 * asked for UTF-8; the message says in which charset it is.
 */

/** Parameters of a form, percent-decoded and in the charset that the form names. */
export type Form = Map<string, Buffer>

/** The charset of an answer, by its header. */
export const charsetIn = (contentType: string | null): string =>
  /charset=["']?([\w-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'

export const decode = (bytes: Buffer, charset: string): string => new TextDecoder(charset).decode(bytes)

/** Names are ASCII. Of a parameter that is there twice the last one counts. */
export function readForm(body: Buffer): Form {
  const pairs = body.toString('latin1').split('&')
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [bytesOf(name).toString('latin1'), bytesOf(value.join('='))]
    }),
  )
}

/** Undoes `application/x-www-form-urlencoded`. */
const bytesOf = (encoded: string): Buffer =>
  Buffer.from(
    encoded
      .replaceAll('+', ' ')
      .replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )

/** Where a message of certificate mode names the certificate that verifies it. */
export const CERTIFICATE = 'alipay_cert_sn'

/**
 * The texts that the signature of a notification may cover: `a=1&b=2`, sorted by name, nothing encoded, without `sign`. The manual's
 * pages differ on whether empty values are in it, and `sign_type`; clients differ on `alipay_cert_sn`: one of them is what Alipay
 * signed.
 */
export function signedForms(form: Form): Buffer[] {
  const all = [...form].filter(([name]) => name !== 'sign').sort(([one], [other]) => (one < other ? -1 : 1))
  const without = (params: [string, Buffer][], left: string) => params.filter(([name]) => name !== left)
  const filled = (params: [string, Buffer][]) => params.filter(([, value]) => value.length > 0)
  const plain = form.has(CERTIFICATE) ? [without(all, CERTIFICATE), all] : [all]
  const texts = plain.flatMap((params) => [without(params, 'sign_type'), params])
  return texts
    .flatMap((params) => [filled(params), params])
    .map((params) =>
      Buffer.concat(
        params.flatMap(([name, value], index) => [Buffer.from(`${index === 0 ? '' : '&'}${name}=`, 'latin1'), value]),
      ),
    )
}

/**
 * An answer's signature, the name of the certificate that verifies it, and its member `name`: the bytes that the signature
 * covers, and their text. Throws when it has none.
 */
export function readAnswer(
  bytes: Buffer,
  name: string,
  charset: string,
): { signature: unknown; certificate: unknown; member: Buffer; text: string } {
  const envelope = JSON.parse(decode(bytes, charset).replace(/^\ufeff/, '')) as Record<string, unknown>
  const found = memberOf(asAscii(bytes, charset), name)
  if (found === null) throw new Error(`no ${name} in the answer`)
  const member = bytes.subarray(found.start, found.end)
  return { signature: envelope.sign, certificate: envelope[CERTIFICATE], member, text: decode(member, charset) }
}

/**
 * The bytes as a text of the same length in which only ASCII is legible. In UTF-8 every byte of another character is above ASCII;
 * in GBK the second one may be a brace or a backslash.
 */
function asAscii(bytes: Buffer, charset: string): string {
  const ascii = Buffer.from(bytes)
  if (!/^utf-?8$/i.test(charset)) {
    for (let at = 0; at < ascii.length - 1; at += 1) {
      if ((ascii[at] as number) < 0x80) continue
      at += 1
      ascii[at] = 0x80
    }
  }
  return ascii.toString('latin1')
}

/** Where the object that is the member `name` of a JSON object begins and ends. */
function memberOf(json: string, name: string): { start: number; end: number } | null {
  const key = json.indexOf(`"${name}"`)
  const start = json.indexOf('{', key + name.length)
  if (key < 0 || start < 0) return null
  let depth = 0
  for (let at = start; at < json.length; at += 1) {
    if (json[at] === '"') at = endOfString(json, at)
    else if (json[at] === '{') depth += 1
    else if (json[at] === '}') depth -= 1
    if (depth === 0) return { start, end: at + 1 }
  }
  return null
}

/** Where the string that begins at `start` ends: the place of its closing quote, or past the text when it has none. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}
