import { describe, expect, it } from 'vitest'
import { rsaKeys } from '../../../test/support/keys.ts'
import { timeText } from './answers.ts'
import { type Envelope, responseText } from './canonical.ts'
import { type AnswerData, signedBody, unsignedBody } from './envelope.ts'
import { type Refusal, refuse } from './errors.ts'
import { signWith, verifyText } from './sign.ts'

const { publicKey, privateKey } = rsaKeys('ours')
const read = async (answer: AnswerData | Refusal): Promise<Envelope> =>
  JSON.parse(await signedBody(answer, { mchNo: 'MCH1', nonce: 'n1', sign: signWith(privateKey) })) as Envelope

describe('a signed answer', () => {
  it.each([
    ['success', { code: 'SUCCESS', description: '关单成功', extra: null }],
    ['an error', refuse('ORDER_NOT_EXIST')],
  ] as [string, AnswerData | Refusal][])(
    "of %s verifies with the platform's public key as it was sent",
    async (_, answer) => {
      const envelope = await read(answer)
      expect(verifyText(responseText(envelope), String(envelope.data?.sign), publicKey)).toBe(true)
      const forged = { ...envelope, data: { ...envelope.data, nonce: 'n2' } }
      expect(verifyText(responseText(forged), String(envelope.data?.sign), publicKey)).toBe(false)
    },
  )

  it('has the four fields of the contract and no other, and every value in data is a text or null', async () => {
    const envelope = await read({ code: 'SUCCESS', description: '关单成功', extra: null })
    expect(envelope).toEqual({
      status: 200,
      message: 'SUCCESS',
      fieldErrors: null,
      data: {
        code: 'SUCCESS',
        description: '关单成功',
        extra: null,
        mch_no: 'MCH1',
        nonce: 'n1',
        sign_type: 'SHA256withRSA',
        sign: expect.any(String),
      },
    })
  })

  it('of an error carries its number and reason, and in data nothing but who signed', async () => {
    const { data, ...envelope } = await read(refuse('PARAM_ERROR', 'app_no 必填'))
    expect(envelope).toEqual({ status: 1001, message: 'PARAM_ERROR', fieldErrors: 'app_no 必填' })
    expect(Object.keys(data ?? {}).sort()).toEqual(['mch_no', 'nonce', 'sign', 'sign_type'])
  })

  it('cannot be given another identity by the business result', async () => {
    expect((await read({ mch_no: 'MCH2', nonce: 'old', sign_type: 'none', sign: 'x' })).data).toMatchObject({
      mch_no: 'MCH1',
      nonce: 'n1',
      sign_type: 'SHA256withRSA',
    })
  })
})

it('a business result may have a field of the name that marks a refusal', async () => {
  expect(await read({ refused: 'a text' })).toMatchObject({ status: 200, data: { refused: 'a text' } })
  expect(await read({ fieldErrors: 'a text' })).toMatchObject({ status: 200, fieldErrors: null })
})

it('an answer to a stranger has no data at all', () => {
  expect(unsignedBody(refuse('SIGN_ERROR', '缺少 x-acopay-sign'))).toBe(
    '{"status":1002,"message":"SIGN_ERROR","fieldErrors":"缺少 x-acopay-sign","data":null}',
  )
})

it('times are told in +08:00 without a fraction', () => {
  expect(timeText(new Date('2021-05-12T02:00:00.999Z'))).toBe('2021-05-12T10:00:00+08:00')
  expect(timeText(new Date('2020-12-31T16:00:00Z'))).toBe('2021-01-01T00:00:00+08:00')
})
