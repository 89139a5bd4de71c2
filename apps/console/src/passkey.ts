/** Asks the browser for a passkey. @simplewebauthn/browser, which translates for it, is loaded when it is first needed. */
import type { NewPasskeyAnswer, PasskeyAnswer, PasskeyOptions } from '@acopay/protocol/console'
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'

const library = () => import('@simplewebauthn/browser')

/** Throws `NoPasskey` where the user or the browser gives none. */
export const createPasskey = (options: PasskeyOptions): Promise<NewPasskeyAnswer> =>
  given(async () => {
    const { startRegistration } = await library()
    const { id, response } = await startRegistration({ optionsJSON: options as PublicKeyCredentialCreationOptionsJSON })
    const { clientDataJSON, attestationObject, transports } = response
    return { id, response: { clientDataJSON, attestationObject, ...(transports === undefined ? {} : { transports }) } }
  })

export const signWithPasskey = (options: PasskeyOptions): Promise<PasskeyAnswer> =>
  given(async () => {
    const { startAuthentication } = await library()
    const { id, response } = await startAuthentication({
      optionsJSON: options as PublicKeyCredentialRequestOptionsJSON,
    })
    const { clientDataJSON, authenticatorData, signature } = response
    return { id, response: { clientDataJSON, authenticatorData, signature } }
  })

/** The browser gave no passkey. `isKnown`: because the authenticator has one of this user already. */
export class NoPasskey extends Error {
  readonly isKnown: boolean
  constructor(isKnown: boolean) {
    super('no passkey')
    this.isKnown = isKnown
  }
}

async function given<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    throw new NoPasskey(error instanceof Error && error.name === 'InvalidStateError')
  }
}
