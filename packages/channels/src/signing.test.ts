/** Signatures are made in another thread: no other work waits for them. */
import { expect, it } from 'vitest'
import { derKeys } from '../../../test/support/keys.ts'
import type { Channel } from './contract.ts'
import { type ChannelDoor, type ChannelName, type ChannelSettings, makeChannel } from './installed.ts'

const ours = derKeys('ours')
const theirs = derKeys('theirs')

const SETTINGS: ChannelSettings = {
  wechat: {
    baseUrl: 'https://wechat.example',
    appId: 'wx1',
    mchId: '1900000001',
    serialNo: 'S1',
    apiV3Key: '0'.repeat(32),
    mchPrivateKey: ours.privateKey,
    platformKeys: [{ id: 'PUB_KEY_ID_1', publicKey: theirs.publicKey }],
  },
  alipay: {
    gateway: 'https://alipay.example/gateway.do',
    appId: '2021000000000001',
    sellerId: '2088000000000001',
    appPrivateKey: ours.privateKey,
    alipayPublicKey: theirs.publicKey,
  },
}

/** Lets everything go on that waits for nothing but promises. */
async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}

function asking(name: ChannelName, door: Partial<ChannelDoor>) {
  let sent = 0
  const fetch = async () => {
    sent += 1
    throw new Error('no upstream is called')
  }
  const channel: Channel = makeChannel(name, SETTINGS[name], {
    fetch,
    now: () => new Date(),
    newNonce: () => 'n',
    ...door,
  })
  const answer = channel.close({ attemptNo: 'AT1' }, new AbortController().signal)
  return { answer, sent: () => sent }
}

it.each(['wechat', 'alipay'] as const)('a request to %s leaves when another thread has signed it', async (name) => {
  const { answer, sent } = asking(name, {})
  await settlePromises()
  expect(sent()).toBe(0)
  await answer
  expect(sent()).toBe(1)
})

it.each(['wechat', 'alipay'] as const)('a request to %s that cannot be signed is not sent', async (name) => {
  const { answer, sent } = asking(name, { sign: () => Promise.reject(new Error('no signature')) })
  expect(await answer).toMatchObject({ kind: 'unknown', why: 'no signature' })
  expect(sent()).toBe(0)
})
