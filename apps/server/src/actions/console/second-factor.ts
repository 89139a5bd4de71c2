/** The second factor of a user: a code of an authenticator (TOTP), a passkey, or a recovery code in place of either. */
import type { PasskeyAnswer, SecondFactor } from '@acopay/protocol/console'
import { type ConsoleUser, takeRecoveryCode, takeTotpStep } from '@acopay/store/console'
import { Secret, TOTP } from 'otpauth'
import type { PasskeySite } from '../../security/passkey-site.ts'
import type { World } from '../../world.ts'
import { askForPasskey, takePasskey } from './passkeys.ts'
import { recoveryHash } from './recovery-codes.ts'

/** What a user may have sent. `site`: where passkeys work, for the address that was called; null: nowhere. */
export type SecondGiven = { code: string | null; passkey: PasskeyAnswer | null; site: PasskeySite | null }

export const hasSecondFactor = ({ isTotpEnabled, passkeys }: Pick<ConsoleUser, 'isTotpEnabled' | 'passkeys'>) =>
  isTotpEnabled || passkeys > 0

/** What a user whose password is right may sign in with. */
export const askForSecondFactor = async (
  world: World,
  user: ConsoleUser,
  site: PasskeySite | null,
): Promise<SecondFactor> => ({
  totp: user.isTotpEnabled,
  passkey: await askForPasskey(world, user.username, 'sign_in', site),
})

/** Each code and each signature counts once. `purpose`: what the passkey was asked for. */
export async function takeSecondFactor(
  world: World,
  user: ConsoleUser,
  { code, passkey, site, purpose }: SecondGiven & { purpose: 'sign_in' | 'prove' },
): Promise<boolean> {
  if (passkey !== null) return takePasskey(world, user.username, { answer: passkey, site, purpose })
  if (code === null) return false
  if (/[a-z]/i.test(code)) return takeRecoveryCode(world.pool, user.username, recoveryHash(code))
  return user.isTotpEnabled && takeCode(world, user, code, 'use')
}

/** The place that a user's TOTP secret is sealed for. */
export const totpPlace = (username: string): string => `console_user/${username}/totp`

export const totpOf = (username: string, secret: Secret): TOTP =>
  new TOTP({ issuer: 'ACO Pay', label: username, secret })

/**
 * Whether the code is right and unused: RFC 6238, one step of 30 s to either side, each code once. `enable` also requires
 * codes at sign-in from now on.
 */
export async function takeCode(
  world: World,
  { username, totpSealed }: ConsoleUser,
  code: string,
  purpose: 'use' | 'enable',
): Promise<boolean> {
  if (totpSealed === null) return false
  const totp = totpOf(username, Secret.fromBase32(world.secrets.unseal(totpPlace(username), totpSealed)))
  // The authenticator on a telephone knows nothing of the sandbox's time.
  const timestamp = world.now().getTime() - world.aheadMs()
  const delta = totp.validate({ token: code.replaceAll(' ', ''), timestamp, window: 1 })
  if (delta === null) return false
  return takeTotpStep(world.pool, username, BigInt(totp.counter({ timestamp }) + delta), purpose === 'enable')
}
