/**
 * Inside a wallet, a payer can pay only after the wallet has identified them to us. The browser is redirected to the wallet and
 * back. The page then gets the payer's id in a token that is sealed for this order, in the fragment of the address, which
 * browsers do not send to servers. We store nothing, and need no cookie.
 */
import type { PayerSignIn } from '@acopay/channels'
import type { OrderKey } from '@acopay/store/read'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { callUpstream, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'

type Path = { mchNo: string; transactionNo: string; proof: string; channel: string }
type SignInRequest = FastifyRequest<{ Params: Path }>

/** The page chooses the state, and accepts only an answer with the state it chose. */
const STATE = /^[0-9A-Za-z]{16,64}$/
const CODE = /^[\w-]{1,512}$/
const TOKEN_MAX = 1024

const placeOf = ({ mchNo, transactionNo }: OrderKey, channel: string): string =>
  `cashier payer/${mchNo}/${transactionNo}/${channel}`

/** The payer's id in the page's token; null where the token was not made for this order and channel. */
export function payerIn(world: World, key: OrderKey, channel: string, token: unknown): string | null {
  if (typeof token !== 'string' || token.length > TOKEN_MAX) return null
  try {
    return world.secrets.unseal(placeOf(key, channel), Buffer.from(token, 'base64url'))
  } catch {
    return null
  }
}

/** The payer to whom a mini-program's code belongs; null where there is no mini-program, or the code is not good. */
export async function miniPayer(
  world: World,
  { mchNo, channel }: { mchNo: string; channel: string },
  code: unknown,
): Promise<string | null> {
  const signIn = (await world.channelOf(mchNo, channel))?.miniSignIn
  if (signIn === undefined || typeof code !== 'string' || !CODE.test(code)) return null
  const answer = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    signIn.payerOf(code, signal),
  )
  if (answer.kind === 'payer') return answer.openId
  world.log.warn({ mchNo, channel, why: answer.why }, 'a payer in a mini-program could not be known')
  return null
}

/** `ordered` checks the order's link. Where it answers null, it has sent the answer itself. */
export function payerSignInRoutes(
  app: FastifyInstance,
  world: World,
  link: string,
  ordered: (request: SignInRequest, reply: FastifyReply) => Promise<OrderKey | null>,
): void {
  const signInOf = async ({ mchNo }: OrderKey, channel: string): Promise<PayerSignIn | null> =>
    (await world.channelOf(mchNo, channel))?.signIn ?? null

  app.get<{ Params: Path }>(`${link}/payer/:channel`, { exposeHeadRoute: false }, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const { channel } = request.params
    const signIn = await signInOf(key, channel)
    if (signIn === null) return reply.callNotFound()
    const state = queryOf(request).get('state') ?? ''
    if (!STATE.test(state)) return reply.code(400).send({ error: 'FIELD_INVALID', field: 'state' })
    const returnUrl = `${world.cashierUrl(key.mchNo, key.transactionNo)}/payer/${channel}/back`
    return reply.header('cache-control', 'no-store').redirect(signIn.address({ returnUrl, state }), 302)
  })

  app.get<{ Params: Path }>(`${link}/payer/:channel/back`, { exposeHeadRoute: false }, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const { channel } = request.params
    const signIn = await signInOf(key, channel)
    if (signIn === null) return reply.callNotFound()
    const query = queryOf(request)
    const [code, state] = [query.get(signIn.codeName ?? 'code') ?? '', query.get('state') ?? '']
    if (!STATE.test(state)) return reply.code(400).send({ error: 'FIELD_INVALID', field: 'state' })
    const answer = CODE.test(code)
      ? await callUpstream(world, within(world, world.limits.channelCallMs), (signal) => signIn.payerOf(code, signal))
      : ({ kind: 'refused', why: 'no code' } as const)
    const back = new URLSearchParams({ payer_of: channel, state })
    if (answer.kind === 'payer') {
      back.set('payer', world.secrets.seal(placeOf(key, channel), answer.openId).toString('base64url'))
    } else {
      world.log.warn({ ...key, channel, why: answer.why }, 'a payer could not be known')
    }
    const url = `${world.cashierUrl(key.mchNo, key.transactionNo)}#${back}`
    return reply.header('cache-control', 'no-store').redirect(url, 302)
  })
}

const queryOf = ({ url }: FastifyRequest): URLSearchParams => new URL(url, 'http://cashier').searchParams
