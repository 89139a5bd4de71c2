/** What a wallet's browser tells the page: the return from the sign-in, and how its payment sheet ended. */

/** The result of the redirect. `payer` is null where the wallet did not answer, or another tab began the redirect. */
export type CameBack = { channel: string; payer: string | null }

/** Null where the payer does not come from a sign-in. `hash`: of the address; `begun`: the state that this tab began with. */
export function cameBackOf(hash: string, begun: string | null): CameBack | null {
  const said = new URLSearchParams(hash.slice(1))
  const channel = said.get('payer_of')
  if (channel === null) return null
  return { channel, payer: begun !== null && begun === said.get('state') ? said.get('payer') : null }
}

/** `done` does not prove a payment: only the server knows. `failed` means that the wallet showed no sheet or refused. */
export type SheetEnd = 'done' | 'left' | 'failed'

export function sheetEndOf(said: string): SheetEnd {
  if (said.endsWith(':ok')) return 'done'
  return said.endsWith(':cancel') ? 'left' : 'failed'
}

/** 9000 paid, 8000 and 6004 perhaps paid, 6001 left by the payer; 4000 and all others are failures ("结果码"). */
export function alipaySheetEndOf(code: string): SheetEnd {
  if (code === '9000' || code === '8000' || code === '6004') return 'done'
  return code === '6001' ? 'left' : 'failed'
}
