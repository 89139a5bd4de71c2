/** What the page makes of the server's answer when the payer chose a way to pay. */

export type Trouble = 'doubt' | 'refused' | 'tooMany' | 'unreachable' | 'stale'

/** `sandbox`: the address at which the page itself can pay; null in production mode. */
export type Ready = { is: 'ready'; payUrl: string; goodUntilMs: number; sandbox: string | null }

export type Answer = { status: number; body: Record<string, unknown> }

/** The code or link, a trouble, or null while the upstream's result is in doubt: then the page asks again. */
export function readAttempt({ status, body }: Answer): Ready | Trouble | null {
  if (status === 200 && typeof body.pay_url === 'string') {
    const sandbox = typeof body.sandbox === 'string' ? body.sandbox : null
    return { is: 'ready', payUrl: body.pay_url, goodUntilMs: Date.parse(String(body.good_until)), sandbox }
  }
  if (status === 429 && body.error === 'TOO_MANY_ATTEMPTS') return 'tooMany'
  return status === 200 || status === 429 ? null : 'refused'
}
