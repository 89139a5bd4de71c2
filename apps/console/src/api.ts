/** The console's own API (packages/protocol/src/console): one function to call it. */
import { type Failure, movedText, type Session } from '@acopay/protocol/console'
import { QueryClient, queryOptions } from '@tanstack/react-query'
import { ApiError, mayRepeat } from './api-error.ts'

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: mayRepeat,
      staleTime: 1000,
    },
  },
})

/** The session of the user who is signed in; null where there is none. */
export const session = queryOptions({
  queryKey: ['session'],
  queryFn: () => call<Session | null>('GET', 'session'),
  staleTime: Number.POSITIVE_INFINITY,
})

/** Where the user who has just signed out can sign out of the identity provider too; null where there is nothing to say. */
export const stillAtProvider = queryOptions({
  queryKey: ['still-at-provider'],
  queryFn: async (): Promise<string | null> => null,
  staleTime: Number.POSITIVE_INFINITY,
})

/** After this long without input, calls say that the page is idle, so that its own reloads keep no session open. */
const IDLE_MS = 60_000
let touchedMs = Date.now()
for (const event of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
  addEventListener(
    event,
    () => {
      touchedMs = Date.now()
    },
    { passive: true, capture: true },
  )
}

/** A user has signed in or out: forget everything that was loaded for the user before. */
export function began(who: Session | null): void {
  // Keep the query of the session itself: the page listens to it.
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== session.queryKey[0] })
  queries.setQueryData(session.queryKey, who)
}

/** Asks the user to prove again who they are; false where they would rather not. Set by proof-dialog.tsx. */
export const proof: { ask: () => Promise<boolean> } = { ask: async () => false }

/** Calls once, and once more after a proof where an open session is not enough. */
export async function call<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
  try {
    return await callOnce<Answer>(method, path, body)
  } catch (error) {
    if (!(error instanceof ApiError) || error.failure?.error !== 'PROOF_NEEDED' || !(await proof.ask())) throw error
    return callOnce<Answer>(method, path, body)
  }
}

/** How far the sandbox's clock was moved ahead, by the last answer. */
let movedSeconds = 0

/** The gateway's time, as far as this computer's clock is right. */
export const gatewayMs = (): number => Date.now() + movedSeconds * 1000

/** The band at the top of every page says it. */
function noteMoved({ headers }: Response): void {
  const seconds = Number(headers.get('x-acopay-sandbox-ahead') ?? 0)
  if (seconds === movedSeconds) return
  movedSeconds = seconds
  document.body.dataset.moved = movedText(seconds)
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

async function callOnce<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
  const csrf = queries.getQueryData(session.queryKey)?.csrf
  const response = await fetch(`/console/api/${path}`, {
    method,
    credentials: 'same-origin',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(Date.now() - touchedMs > IDLE_MS ? { 'x-acopay-idle': '1' } : {}),
      ...(csrf === undefined || method === 'GET' ? {} : { 'x-acopay-csrf': csrf }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => null)
  if (response === null) throw new ApiError(0, null)
  noteMoved(response)
  const answer = (await response.json().catch(() => null)) as unknown
  if (response.ok) return answer as Answer
  const failure = answer as Failure | null
  // The session has ended: without one, the frame shows the sign-in page, and this page again after the sign-in.
  if (failure?.error === 'SIGN_IN_FIRST') queries.setQueryData(session.queryKey, null)
  if (failure?.error === 'PASSWORD_CHANGE_FIRST' || failure?.error === 'TOTP_FIRST')
    await queries.invalidateQueries(session)
  throw new ApiError(response.status, failure)
}
