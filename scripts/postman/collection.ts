/** The Postman collection of the transactions API (v2.1), made of the tables of the code. Insomnia imports it as well. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { BASE_PATH, OPERATIONS, type Operation, RECORDED } from '@acopay/protocol'

const script = (name: string): string => readFileSync(path.join(import.meta.dirname, name), 'utf8').trimEnd()

/** One script of the collection: the code that signs, and what is done with it. */
export const scriptOf = (what: 'before' | 'after'): string => `${script('sign.js')}\n\n${script(`${what}.js`)}`

const event = (listen: 'prerequest' | 'test', what: 'before' | 'after') => ({
  listen,
  script: { type: 'text/javascript', exec: scriptOf(what).split('\n') },
})

/** What a form begins with: numbers of the calls before, new numbers, or what was recorded. */
const FILLED: Record<string, string> = {
  app_no: '{{app_no}}',
  transaction_no: '{{transaction_no}}',
  mch_refund_no: '{{mch_refund_no}}',
  bill_date: '{{bill_date}}',
}

const NEW: Record<string, string> = {
  'post trade': 'mch_trade_no',
  'post refund': 'mch_refund_no',
}

/** An address that only this recording knows is no good to start with. */
const LEFT_OUT = new Set(['notify_url'])

function paramsOf({ name: call }: Operation): [string, string][] {
  const recorded = RECORDED.calls.find((one) => one.call === call)?.params ?? {}
  return Object.entries(recorded)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => [name, NEW[call] === name ? '{{new_number}}' : (FILLED[name] ?? value)])
}

function requestOf(operation: Operation) {
  const { method, path: end, says } = operation
  const params = paramsOf(operation)
  const raw = `{{base_url}}${BASE_PATH}${end}`
  const segments = `${BASE_PATH}${end}`.split('/').slice(1)
  const query = params.map(([key, value]) => ({ key, value }))
  const isGet = method === 'get'
  return {
    name: `${operation.zh} · ${operation.en}`,
    request: {
      method: method.toUpperCase(),
      header: isGet ? [] : [{ key: 'content-type', value: 'application/json' }],
      ...(isGet
        ? {}
        : {
            body: {
              mode: 'raw',
              raw: JSON.stringify(Object.fromEntries(params), null, 2),
              options: { raw: { language: 'json' } },
            },
          }),
      url: {
        raw: isGet ? `${raw}?${query.map(({ key, value }) => `${key}=${value}`).join('&')}` : raw,
        host: ['{{base_url}}'],
        path: segments,
        ...(isGet ? { query } : {}),
      },
      description: `${says.zh}\n\n${says.en}`,
    },
    response: [],
  }
}

const ABOUT = `翼辉支付网关的商户接口。请先在集合的“变量”里填写 base_url、mch_no、app_no、mch_private_key、platform_public_key；沙箱的值在 .acopay/demo.json。每次请求前由脚本签名，应答后由脚本验签。不要把真实商户的私钥填进会同步到云端的变量。

The merchants' API of an ACO Pay gateway. Fill in base_url, mch_no, app_no, mch_private_key and platform_public_key among the variables of the collection; those of a sandbox are in .acopay/demo.json. A script signs each request and verifies each answer. Do not put the private key of a real merchant into variables that are synchronized to a cloud.`

const VARIABLES: [string, string][] = [
  ['base_url', 'http://127.0.0.1:8080'],
  ['mch_no', 'MCH1000000'],
  ['app_no', 'APP1000000'],
  ['mch_private_key', ''],
  ['platform_public_key', ''],
  ['transaction_no', ''],
  ['mch_trade_no', ''],
  ['refund_no', ''],
  ['mch_refund_no', ''],
  ['bill_date', '2026-03-01'],
]

export const postmanCollection = () => ({
  info: {
    name: '翼辉支付 · ACO Pay',
    description: ABOUT,
    schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
  },
  item: OPERATIONS.map(requestOf),
  event: [event('prerequest', 'before'), event('test', 'after')],
  variable: VARIABLES.map(([key, value]) => ({ key, value, type: 'string' })),
})
