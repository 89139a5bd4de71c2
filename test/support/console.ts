/** Users of the console who call its API over real HTTP, as its pages do. */
import { isMerchantRole, type Role, type Session } from '@acopay/protocol/console'
import { addConsoleUser } from '@acopay/store/console'
import { PASSWORD, PASSWORD_HASH } from './passwords.ts'
import type { TestWorld } from './world.ts'

export { PASSWORD }

/** Adds a user with `PASSWORD`. */
export async function addUser(
  { database, demo }: Pick<TestWorld, 'database' | 'demo'>,
  username: string,
  role: Role,
  more: { mchNo?: string; mustChangePassword?: boolean } = {},
): Promise<void> {
  const mchNo = isMerchantRole(role) ? (more.mchNo ?? demo.mchNo) : null
  const { mustChangePassword = false } = more
  const user = { username, role, mchNo, mustChangePassword, passwordHash: PASSWORD_HASH }
  await addConsoleUser(database.pool, user, new Date('2026-01-01T00:00:00.000Z'))
}

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is for each test to say
export type Answer = { status: number; body: any; headers: Headers }

export type ConsoleClient = {
  get: (path: string) => Promise<Answer>
  send: (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Answer>
  session: Session | null
  cookie: string
}

/** A visitor who is not signed in, or a user with this cookie and session. */
export function consoleClient(baseUrl: string, cookie = '', session: Session | null = null): ConsoleClient {
  const ask = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${baseUrl}/console/api/${path}`, {
      method,
      headers: {
        ...(cookie === '' ? {} : { cookie }),
        ...(session === null || method === 'GET' ? {} : { 'x-acopay-csrf': session.csrf }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
  }
  return { get: (path) => ask('GET', path), send: ask, session, cookie }
}

export async function signedIn(
  { demo }: Pick<TestWorld, 'demo'>,
  username: string,
  password = PASSWORD,
  totp?: string,
): Promise<ConsoleClient> {
  const answer = await consoleClient(demo.baseUrl).send('POST', 'session', { username, password, totp })
  if (answer.status !== 200) throw new Error(`${username} cannot sign in: ${JSON.stringify(answer.body)}`)
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  return consoleClient(demo.baseUrl, cookie, answer.body as Session)
}
