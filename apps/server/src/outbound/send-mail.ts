/** Mail by SMTP, with the same rules about where a connection may go as for posts. */
import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { SafePost } from './safe-post.ts'

export type MailSettings = {
  host: string
  port: number
  /** `tls` from the start (465), or `starttls` (587). */
  security: 'tls' | 'starttls'
  user: string
  password: string
  sender: string
  /** Addresses with commas between. */
  recipients: string
}

export const MAIL_PORTS = [25, 465, 587, 2525]

const CONNECT_MS = 5_000

export type Mail = { subject: string; text: string; html: string }

/** What the server answered, or why the mail was not sent. Does not throw. */
export async function sendMail(
  addressOf: SafePost['addressOf'],
  settings: MailSettings,
  mail: Mail,
): Promise<{ isSent: boolean; answer: string }> {
  const found = await addressOf(settings.host)
  if (found === null) return { isSent: false, answer: 'the address may not be called, or is not known' }
  // Nobody listens on the way to this machine.
  if (!found.isLoopback && !MAIL_PORTS.includes(settings.port)) {
    return { isSent: false, answer: 'the port may not be called' }
  }
  const transport = createTransport(connectionOf(found, settings))
  try {
    const sent = await transport.sendMail({ from: settings.sender, to: settings.recipients, ...mail })
    return { isSent: true, answer: sent.response }
  } catch (error) {
    const { code, response, message } = error as { code?: string; response?: string; message: string }
    return { isSent: false, answer: response ?? (code === undefined ? message : `${code}: ${message}`) }
  } finally {
    transport.close()
  }
}

/** Outside of this machine nothing is sent in the clear. */
export const connectionOf = (found: { address: string; isLoopback: boolean }, settings: MailSettings) => ({
  // The address that was checked: a second answer for the name cannot lead elsewhere.
  host: found.address,
  port: settings.port,
  secure: settings.security === 'tls',
  requireTLS: settings.security === 'starttls' && !found.isLoopback,
  ...(settings.user === '' ? {} : { auth: { user: settings.user, pass: settings.password } }),
  ...(isIP(settings.host) === 0 ? { tls: { servername: settings.host } } : {}),
  connectionTimeout: CONNECT_MS,
  greetingTimeout: CONNECT_MS,
  socketTimeout: CONNECT_MS,
  maxResponseSize: 16_384,
  disableFileAccess: true,
  disableUrlAccess: true,
})
