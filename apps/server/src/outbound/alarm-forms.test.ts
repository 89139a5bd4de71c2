import { describe, expect, it } from 'vitest'
import {
  dingtalkForm,
  feishuForm,
  htmlText,
  isTaken,
  type Message,
  plainText,
  webhookForm,
  wecomForm,
} from './alarm-forms.ts'
import { connectionOf } from './send-mail.ts'

const MESSAGE: Message = {
  title: '翼辉支付 ACO Pay：1条告警 1 alarm',
  lines: [
    {
      mark: '🔴',
      zh: '处理停滞',
      en: 'stuck',
      links: [{ text: 'AP1', url: 'https://pay.example.com/console/orders/M/AP1' }],
    },
    {
      mark: '',
      zh: '全部告警',
      en: 'all alarms',
      links: [{ text: 'console', url: 'https://pay.example.com/console/alarms' }],
    },
  ],
  news: [],
}
const MARKDOWN = `**翼辉支付 ACO Pay：1条告警 1 alarm**

🔴 处理停滞 stuck [AP1](https://pay.example.com/console/orders/M/AP1)

全部告警 all alarms [console](https://pay.example.com/console/alarms)`

/**
 * Not computed by our code: `printf '%s\n%s' 1700000000000 SECtest123 | openssl dgst -sha256 -hmac SECtest123 -binary | base64`, and for
 * Feishu `printf '' | openssl dgst -sha256 -hmac "$(printf '%s\n%s' "$T" SECtest123)" -binary | base64` with T as the time that is sent,
 * which are the formulas of the two manuals.
 */
const NOW_MS = 1_700_000_000_000
const DINGTALK_SIGN = 'w3RMHXzixTMdzr8OHJUmVLS4IoPJVdu+Ut1LE48MePE='
const FEISHU_SIGN_OF_MS = 'Hd4xFWQU6R6ad4nzy4ETIznzlqebqH7xcTFVmONTudo='

describe('a message', () => {
  it('for WeCom is Markdown, with links', () => {
    const form = wecomForm({ url: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k', secret: '' }, MESSAGE)
    expect(form.url).toBe('https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k')
    expect(JSON.parse(form.body)).toEqual({ msgtype: 'markdown', markdown: { content: MARKDOWN } })
  })

  it('for DingTalk carries the time and the signature in its address, beside the token', () => {
    const to = { url: 'https://oapi.dingtalk.com/robot/send?access_token=t', secret: 'SECtest123' }
    const { url, body } = dingtalkForm(to, MESSAGE, NOW_MS)
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      access_token: 't',
      timestamp: '1700000000000',
      sign: DINGTALK_SIGN,
    })
    expect(url).toContain('sign=w3RMHXzixTMdzr8OHJUmVLS4IoPJVdu%2BUt1LE48MePE%3D')
    expect(JSON.parse(body)).toEqual({ msgtype: 'markdown', markdown: { title: MESSAGE.title, text: MARKDOWN } })
    expect(dingtalkForm({ ...to, secret: '' }, MESSAGE, NOW_MS).url).toBe(to.url)
  })

  it('for Feishu carries the time in seconds and the signature in its body', () => {
    const to = { url: 'https://open.feishu.cn/open-apis/bot/v2/hook/h', secret: 'SECtest123' }
    const body = JSON.parse(feishuForm(to, MESSAGE, NOW_MS).body)
    expect([body.timestamp, body.msg_type, body.content.post.zh_cn.title]).toEqual([
      '1700000000',
      'post',
      MESSAGE.title,
    ])
    expect(body.content.post.zh_cn.content[0]).toEqual([
      { tag: 'text', text: '🔴 处理停滞 stuck' },
      { tag: 'text', text: ' ' },
      { tag: 'a', text: 'AP1', href: 'https://pay.example.com/console/orders/M/AP1' },
    ])
    // The value of the others is of a time with thirteen digits.
    expect(JSON.parse(feishuForm(to, MESSAGE, NOW_MS * 1000).body).sign).toBe(FEISHU_SIGN_OF_MS)
    expect(JSON.parse(feishuForm({ ...to, secret: '' }, MESSAGE, NOW_MS).body).sign).toBeUndefined()
  })

  it('for a program is JSON, signed as in the example of Standard Webhooks', () => {
    const to = { url: 'https://ops.example.com/alarms', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
    const { headers, body } = webhookForm(to, MESSAGE, { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', nowMs: 1_614_265_330_000 })
    expect(headers['webhook-timestamp']).toBe('1614265330')
    expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/)
    expect(JSON.parse(body)).toMatchObject({ type: 'acopay.alarm', data: { title: MESSAGE.title, news: [] } })
    expect(
      webhookForm({ ...to, secret: '' }, MESSAGE, { id: 'x', nowMs: 0 }).headers['webhook-signature'],
    ).toBeUndefined()
  })

  it('for mail is text and HTML, and what others wrote is text in both', () => {
    const odd = { mark: '🔴', zh: '<b>&"', en: '[x](http://evil) <@all>', links: [] }
    const html = htmlText({ ...MESSAGE, lines: [odd, ...MESSAGE.lines] })
    expect(html).toContain('&lt;b&gt;&amp;&quot;')
    expect(html).toContain('<a href="https://pay.example.com/console/alarms">console</a>')
    expect(plainText(MESSAGE)).toContain('AP1: https://pay.example.com/console/orders/M/AP1')
    const markdown = JSON.parse(wecomForm({ url: '', secret: '' }, { ...MESSAGE, lines: [odd] }).body).markdown.content
    expect(markdown).not.toMatch(/\[x\]|<@/)
  })

  it('of many long lines fits into the 4096 bytes that WeCom takes, and ends with the link to all of them', () => {
    const long = { mark: '🔴', zh: '长'.repeat(100), en: 'long', links: [] }
    const lines = [...Array.from({ length: 40 }, () => long), ...MESSAGE.lines]
    const { content } = JSON.parse(wecomForm({ url: '', secret: '' }, { ...MESSAGE, lines }).body).markdown
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4096)
    expect(Buffer.byteLength(content)).toBeGreaterThan(3000)
    expect(content).toMatch(/console\/alarms\)$/)
  })
})

it('a robot took a message only if its answer says so: its status is 200 in any case', () => {
  const taken = ['{"errcode":0,"errmsg":"ok"}', '{"code":0,"msg":"success"}', '{"StatusCode":0}']
  const not = [
    '{"errcode":45009}',
    '{"code":19021,"msg":"sign match fail"}',
    '{}',
    'ok',
    '',
    null,
    '{"errcode":"0"}',
    'null',
  ]
  expect([taken.map(isTaken), not.map(isTaken)]).toEqual([taken.map(() => true), not.map(() => false)])
})

it('mail goes out in the clear only to this machine', () => {
  const settings = {
    ...({ host: 'smtp.example.com', port: 587, security: 'starttls', user: 'u', password: 'p' } as const),
    ...{ sender: 'a@example.com', recipients: 'b@example.com' },
  }
  const far = connectionOf({ address: '203.0.113.5', isLoopback: false }, settings)
  expect(far).toMatchObject({
    host: '203.0.113.5',
    secure: false,
    requireTLS: true,
    tls: { servername: 'smtp.example.com' },
  })
  expect(connectionOf({ address: '127.0.0.1', isLoopback: true }, settings).requireTLS).toBe(false)
  expect(connectionOf({ address: '203.0.113.5', isLoopback: false }, { ...settings, security: 'tls' }).secure).toBe(
    true,
  )
})
