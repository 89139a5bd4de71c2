/** Passkeys (WebAuthn): a second factor of the console's users, in place of a code. Bytes are Base64url, as browsers write them. */

/**
 * What the browser is asked for: WebAuthn's own `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`,
 * which the page passes on as it came. Good for five minutes and for one answer.
 */
export type PasskeyOptions = { challenge: string }

/** The browser's answer at a sign-in or a proof: WebAuthn's `AuthenticationResponseJSON`. */
export type PasskeyAnswer = {
  id: string
  response: { clientDataJSON: string; authenticatorData: string; signature: string }
}

/** The browser's answer at a registration: WebAuthn's `RegistrationResponseJSON`. */
export type NewPasskeyAnswer = {
  id: string
  response: { clientDataJSON: string; attestationObject: string; transports?: string[] }
}

/**
 * `GET passkeys`: the user's own, the oldest first. `POST passkey-challenge` answers `PasskeyOptions`, and `POST passkeys` adds the
 * passkey that was made from them. `DELETE passkeys/{id}` removes one. All but the first need a proof (`POST session/proof`).
 */
export type PasskeyRow = {
  id: string
  name: string
  created_at: string
  /** Null before it was first used. */
  used_at: string | null
}
export type PasskeyList = { rows: PasskeyRow[] }
export type NewPasskey = { name: string; passkey: NewPasskeyAnswer }
/** `recovery_codes`: shown this once, where the passkey is the user's first second factor. */
export type PasskeyAdded = { recovery_codes: string[] | null }
