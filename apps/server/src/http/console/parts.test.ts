/** The cookies of a session, by the address at which browsers reach the gateway. */
import { expect, it } from 'vitest'
import { cookieFor } from './parts.ts'

it('a cookie over HTTPS is this host’s alone, for all paths; over plain HTTP it is for the console', () => {
  const always = { httpOnly: true, sameSite: 'strict' }
  expect(cookieFor('s', 'https://pay.example.com')).toEqual({
    name: '__Host-s',
    with: { ...always, path: '/', secure: true },
  })
  for (const url of ['http://pay.example.com', null]) {
    expect(cookieFor('s', url)).toEqual({ name: 's', with: { ...always, path: '/console', secure: false } })
  }
  expect(cookieFor('s', null, { maxAge: 60, sameSite: 'lax' }).with).toMatchObject({ maxAge: 60, sameSite: 'lax' })
})
