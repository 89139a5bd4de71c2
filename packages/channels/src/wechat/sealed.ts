/** Decrypts what WeChat Pay encrypted under the APIv3 key: AEAD_AES_256_GCM (pay.weixin.qq.com, "证书和回调报文解密"). */
import { createDecipheriv } from 'node:crypto'

const TAG_BYTES = 16

export type Sealed = { algorithm: string; ciphertext: string; associated_data?: string; nonce: string }

/** The decrypted text. Throws when it was encrypted under another key, or changed since. */
export function openSealed(apiV3Key: string, sealed: Sealed): string {
  if (sealed.algorithm !== 'AEAD_AES_256_GCM') throw new Error(`unknown algorithm ${sealed.algorithm}`)
  const bytes = Buffer.from(sealed.ciphertext, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(apiV3Key, 'utf8'), Buffer.from(sealed.nonce, 'utf8'), {
    // A shorter tag would be accepted too, and be guessed sooner.
    authTagLength: TAG_BYTES,
  })
    .setAuthTag(bytes.subarray(-TAG_BYTES))
    .setAAD(Buffer.from(sealed.associated_data ?? '', 'utf8'))
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}
