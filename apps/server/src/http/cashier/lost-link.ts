/**
 * What is wrong with a payer's link, judged by its form alone: nothing here says whether a merchant or an order exists. The answer is a
 * word for one of the page's own texts, and nothing of the link is ever shown.
 */
export type LinkParts = { mchNo: string; transactionNo: string; proof: string }

/** `short`: cut off. `wide`: full-width or invisible characters. `extra`: something is stuck to its end. `wrong`: well-formed. */
export type LostWhy = 'short' | 'wide' | 'extra' | 'wrong'

/** `parts`: an order's link that the address holds after all. Its proof still has to be checked. */
export type Lost = { why: LostWhy; parts: LinkParts | null }

const WHOLE = /^\/cashier\/([0-9A-Za-z_-]{1,32})\/(AP\d{36})\/([\w-]{43})(.*)$/s
const BEGUN = /^\/cashier\/[0-9A-Za-z_-]{0,32}(?:\/(?:A|AP\d{0,36})?(?:\/[\w-]{0,42})?)?$/
/** The paths below an order's link. */
const BELOW = /^(?:\/(?:state|events|attempts|receipt|payer\/.*)?)?$/s
const PATH_MAX = 2000

export function lostLink(url: string): Lost {
  const path = (url.split('?', 1)[0] as string).slice(0, PATH_MAX)
  const read = decoded(decoded(path))
  // Full-width forms become plain ones, and characters that have no width or are blank go.
  const plain = read.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')
  const isWide = !WHOLE.test(read) && plain !== read
  const [, mchNo = '', transactionNo = '', proof = '', rest = ''] = WHOLE.exec(isWide ? plain : read) ?? []
  if (mchNo === '') return { why: whyNone(plain, isWide), parts: null }
  const isExtra = !BELOW.test(rest)
  const parts = isExtra || read !== path || isWide ? { mchNo, transactionNo, proof } : null
  if (isWide) return { why: 'wide', parts }
  return { why: isExtra ? 'extra' : 'wrong', parts }
}

function whyNone(plain: string, isWide: boolean): LostWhy {
  if (isWide) return 'wide'
  return BEGUN.test(plain) ? 'short' : 'wrong'
}

/** What it was before it was escaped; itself where the escapes are broken. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
