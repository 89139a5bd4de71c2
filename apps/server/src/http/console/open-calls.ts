/** Calls by which somebody without a session gets in: all of them are bounded for each address, and come from our own pages. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Began, Departs, Failed, failed } from './call.ts'
import { giveSession, letDepart, type Parts, rememberDevice } from './parts.ts'
import { broken, readBody, send, TOO_OFTEN } from './respond.ts'

const NO_JSON = () => failed('FIELD_INVALID', '请求体应为JSON', 'The body should be JSON', { field: 'body' })

/** Answers with what `call` makes of the body; a session that it began becomes a cookie. */
export async function openCall(
  parts: Parts,
  [request, reply]: [FastifyRequest, FastifyReply],
  call: (body: Record<string, unknown>) => Promise<object | Failed>,
): Promise<FastifyReply> {
  if (!parts.signIns.allows(request.ip, null)) return send(request, reply, TOO_OFTEN())
  // A form on another site cannot send JSON, so it cannot sign a visitor in to an attacker's account.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return send(request, reply, NO_JSON())
  const body = readBody(request)
  if (body instanceof Failed) return send(request, reply, body)
  const answer = await call(body).catch((error: unknown) => broken(parts.world, request, error))
  if (answer instanceof Departs) return send(request, reply, letDepart(parts, reply, answer))
  if (!(answer instanceof Began)) return send(request, reply, answer)
  const session = giveSession(parts, request, reply, answer)
  rememberDevice(parts, request, reply, answer.user.username)
  return send(request, reply, session)
}
