/** Who is who on the simulated wire: the accounts, and one key with which both sides sign. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { ChannelSettings } from '@acopay/channels'
import { type Fen, formatYuan } from '@acopay/core'

/** Whose key it is, is tested elsewhere. A short key signs thirty times as fast as one that is safe. */
const KEYS = generateKeyPairSync('rsa', { modulusLength: 512 })
const PRIVATE = KEYS.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
const PUBLIC = KEYS.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

export const SERIAL = 'PUB_KEY_ID_SIMULATED'

export const SETTINGS = {
  wechat: {
    baseUrl: 'https://wechat.example',
    appId: 'wx1',
    mchId: '1900000001',
    serialNo: '1',
    mchPrivateKey: PRIVATE,
    apiV3Key: '0'.repeat(32),
    platformKeys: [{ id: SERIAL, publicKey: PUBLIC }],
  },
  alipay: {
    gateway: 'https://alipay.example/gateway.do',
    appId: '2021000000000001',
    sellerId: '2088000000000001',
    appPrivateKey: PRIVATE,
    alipayPublicKey: PUBLIC,
  },
} satisfies ChannelSettings

/** How the gateway's channels sign here: in no other thread, whose moment the seed would not decide. */
export const signHere = async (bytes: Buffer, key: KeyObject): Promise<Buffer> => sign('RSA-SHA256', bytes, key)

export const signed = (text: string): string =>
  sign('RSA-SHA256', Buffer.from(text), KEYS.privateKey).toString('base64')

/** A signature of a stranger: well formed, and of other bytes. */
export const FORGED = signed('what a stranger has seen elsewhere')

export const yuanOf = (fen: bigint): string => formatYuan(fen as Fen)

/** The same moment as both upstreams write it, in UTC+8: `yyyy-MM-dd HH:mm:ss`. */
export const chinaTime = (at: Date): string =>
  new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')

/** A request as the channel sends it. */
export type Asked = { url: URL; body: string }

/** `text` may be a file's bytes. */
export type Reply = { status: number; headers: Record<string, string>; text: string | Buffer }
