/** Alarm channels at the console, and what happens when one does not take what it is told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alarmReceiver, type MailServer, mailServer } from './support/alarm-receivers.ts'
import { type Alarms, alarmsOf, SECRETS } from './support/alarms.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const METRICS = 'a-token-of-the-tests'

let gateway: TestWorld
let alarms: Alarms
let admin: ConsoleClient
let operator: ConsoleClient
let mail: MailServer
beforeAll(async () => {
  gateway = await testWorld({ env: { ACOPAY_METRICS_TOKEN: METRICS } })
  alarms = alarmsOf(gateway)
  await addUser(gateway, 'admin', 'platform_admin')
  await addUser(gateway, 'an-operator', 'operator')
  admin = await signedIn(gateway, 'admin')
  operator = await signedIn(gateway, 'an-operator')
  mail = await mailServer({ name: 'gateway', password: 'mail-password' })
})
afterAll(async () => {
  await alarms.stop()
  await mail.stop()
  await gateway.stop()
})

const shout = (text = 'too many connections'): void => gateway.world.log.error({ alarm: true }, text)

/** A user has to prove again who they are once the clock has moved. */
async function send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) {
  admin = await signedIn(gateway, 'admin')
  return admin.send(method, path, body)
}

const channels = async (): Promise<Record<string, unknown>[]> => {
  admin = await signedIn(gateway, 'admin')
  return (await admin.get('alarm-channels')).body.rows
}

const removeAll = async (): Promise<void> => {
  for (const { channel_id } of await channels()) await send('DELETE', `alarm-channels/${channel_id}`)
}

const mailSettings = () => ({
  ...{ kind: 'mail', name: '值班邮箱', host: '127.0.0.1', port: mail.port, security: 'starttls' },
  ...{
    user: 'gateway',
    password: 'mail-password',
    sender: 'pay@example.com',
    recipients: 'a@example.com, b@example.com',
  },
})

describe('a channel', () => {
  it.each(['wecom', 'dingtalk', 'feishu', 'webhook'] as const)(
    '%s is added, tried, and told what happens',
    async (kind) => {
      const receiver = await alarmReceiver(kind, SECRETS[kind], () => gateway.world.now().getTime())
      const ask = { kind, name: '值班群', url: receiver.url, secret: SECRETS[kind] }
      const added = await send('POST', 'alarm-channels', ask)
      expect([added.status, added.body]).toEqual([200, { channel_id: expect.stringMatching(/^AC\d{10}$/) }])
      const { channel_id } = added.body
      const tried = await admin.send('POST', `alarm-channels/${channel_id}/test`, {})
      expect(tried.body).toMatchObject({ is_fine: true, message: { zh: expect.stringContaining('HTTP 200') } })
      expect(receiver.heard[0]?.text).toContain('测试消息：告警会发到“值班群”')
      shout(`told to ${kind}`)
      await alarms.look(4)
      expect(receiver.heard[1]?.text).toContain(`told to ${kind}`)
      // Neither the secret nor the address, which is one, is shown or logged.
      const everything = JSON.stringify([await channels(), gateway.logged(), (await admin.get('audit')).body])
      expect(everything).not.toContain('k-of-the-robot')
      if (SECRETS[kind] !== '') expect(everything).not.toContain(SECRETS[kind])
      await receiver.stop()
      await removeAll()
    },
  )

  it('of mail sends text and HTML to every recipient', async () => {
    const { body } = await send('POST', 'alarm-channels', mailSettings())
    const tried = await admin.send('POST', `alarm-channels/${body.channel_id}/test`, {})
    expect(tried.body).toMatchObject({ is_fine: true })
    const [first] = mail.mails
    expect([first?.from, first?.to]).toEqual(['pay@example.com', ['a@example.com', 'b@example.com']])
    expect(first?.raw).toMatch(/content-type: text\/plain[\s\S]*content-type: text\/html/i)
    await send('PUT', `alarm-channels/${body.channel_id}`, { password: 'another' })
    const refused = await admin.send('POST', `alarm-channels/${body.channel_id}/test`, {})
    expect(refused.body).toMatchObject({ is_fine: false, message: { zh: expect.stringContaining('535') } })
    expect(JSON.stringify([await channels(), gateway.logged()])).not.toMatch(/mail-password|another/)
    await removeAll()
  })

  it('keeps its secrets when the fields are left out, and loses one for a dash', async () => {
    const receiver = await alarmReceiver('feishu', SECRETS.feishu, () => gateway.world.now().getTime())
    const ask = { kind: 'feishu', name: 'a', url: receiver.url, secret: SECRETS.feishu }
    const { channel_id } = (await send('POST', 'alarm-channels', ask)).body
    expect((await send('PUT', `alarm-channels/${channel_id}`, { name: 'b' })).status).toBe(200)
    expect((await admin.send('POST', `alarm-channels/${channel_id}/test`, {})).body.is_fine).toBe(true)
    await send('PUT', `alarm-channels/${channel_id}`, { secret: '-' })
    const tried = await admin.send('POST', `alarm-channels/${channel_id}/test`, {})
    expect(tried.body).toMatchObject({ is_fine: false, message: { en: expect.stringContaining('19021') } })
    expect((await channels())[0]).toMatchObject({
      ...{ name: 'b', kind: 'feishu', enabled: true, last_answer: expect.stringContaining('sign match fail') },
      settings: { url_host: new URL(receiver.url).host, secret_is_set: false },
    })
    await receiver.stop()
    await removeAll()
  })

  it('leaves what was changed in the audit log, with marks in place of secrets', async () => {
    const { channel_id } = (await send('POST', 'alarm-channels', mailSettings())).body
    await send('PUT', `alarm-channels/${channel_id}`, { name: 'other', password: 'new-password' })
    const { rows } = (await admin.get('audit?action=alarm_channels.change')).body
    const changed = rows.find(({ subject }: { subject: string }) => subject === channel_id)
    expect(changed).toMatchObject({ username: 'admin', outcome: 'DONE' })
    const { before, after } = changed.changes[channel_id]
    expect([before.name, after.name]).toEqual(['值班邮箱', 'other'])
    expect(before.password).toMatch(/^#[0-9a-f]{8}$/)
    expect(after.password).not.toBe(before.password)
    await removeAll()
  })

  it('is not told while it is off, nor what happened meanwhile', async () => {
    const receiver = await alarms.channel('wecom')
    await send('PUT', `alarm-channels/${receiver.channelId}`, { enabled: false })
    shout('while it is off')
    await alarms.look(6)
    await send('PUT', `alarm-channels/${receiver.channelId}`, { enabled: true })
    shout('after it')
    await alarms.look(6)
    expect(receiver.heard.map(({ text }) => /while it is off/.test(text))).toEqual([false])
    await removeAll()
  })
})

describe('a field is refused, and named', () => {
  const wecom = { kind: 'wecom', name: 'x', url: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k' }
  it.each([
    ['kind', { name: 'x' }],
    ['kind', { ...wecom, kind: 'pager' }],
    ['name', { ...wecom, name: '' }],
    ['name', { ...wecom, name: 'x'.repeat(65) }],
    ['url', { ...wecom, url: '' }],
    ['url', { ...wecom, url: 'http://qyapi.weixin.qq.com/' }],
    ['url', { ...wecom, url: 'https://user@qyapi.weixin.qq.com/' }],
    ['url', { ...wecom, url: 'https://10.0.0.1/' }],
    ['url', { ...wecom, url: 'https://169.254.169.254/latest' }],
    ['url', { ...wecom, url: 'https://[::ffff:10.0.0.1]/' }],
    ['url', { ...wecom, url: 'https://qyapi.weixin.qq.com:22/' }],
    ['secret', { ...wecom, kind: 'webhook', secret: 'short' }],
    ['enabled', { ...wecom, enabled: 'yes' }],
    ['host', { kind: 'mail', name: 'x' }],
    ['host', { ...{ kind: 'mail', name: 'x', host: 'a b' } }],
    ['port', { kind: 'mail', name: 'x', host: 'smtp.example.com', port: 70_000 }],
    ['security', { kind: 'mail', name: 'x', host: 'smtp.example.com', security: 'none' }],
    ['sender', { kind: 'mail', name: 'x', host: 'smtp.example.com', sender: 'a@b\r\nBcc: c@d' }],
    ['sender', { kind: 'mail', name: 'x', host: 'smtp.example.com', sender: 'nobody' }],
    ['recipients', { kind: 'mail', name: 'x', host: 'smtp.example.com', sender: 'a@example.com', recipients: 'x, y' }],
  ])('%s: %j', async (field, ask) => {
    const { status, body } = await send('POST', 'alarm-channels', ask)
    expect([status, body.error, body.field]).toEqual([400, 'FIELD_INVALID', field])
  })

  it('where there are fifty channels already', async () => {
    for (let one = 0; one < 50; one += 1)
      await gateway.world.pool.query(
        `insert into alarm_channel (channel_id, kind, name, settings_sealed, enabled, created_at, changed_at, told_through, due_at, tries, hour_at, hour_sent)
       values ($1, 'wecom', 'x', 'x', false, now(), now(), 0, now(), 0, now(), 0)`,
        [`AC${one}`],
      )
    const { status, body } = await send('POST', 'alarm-channels', wecom)
    expect([status, body.error]).toEqual([409, 'CONFLICT'])
    // Their settings were sealed by no key of ours; they can be removed all the same.
    expect((await channels())[0]?.settings).toBeNull()
    await removeAll()
    expect(await channels()).toEqual([])
  })
})

it('a name that leads to a private address is not called, by HTTP or for mail', async () => {
  const other = await testWorld({
    guard: {
      isLoopbackAllowed: false,
      ports: [443],
      resolve: (_name, done) => done(null, [{ address: '10.0.0.7', family: 4 }]),
    },
  })
  await addUser(other, 'admin', 'platform_admin')
  const client = await signedIn(other, 'admin')
  const webhook = { kind: 'webhook', name: 'x', url: 'https://internal.example.com/' }
  const post = { ...mailSettings(), host: 'mail.example.com', port: 465 }
  for (const ask of [webhook, post]) {
    const { body } = await client.send('POST', 'alarm-channels', ask)
    const tried = await client.send('POST', `alarm-channels/${body.channel_id}/test`, {})
    expect(tried.body).toMatchObject({ is_fine: false, message: { en: expect.stringContaining('may not be called') } })
  }
  await other.stop()
})

describe('a channel that does not take its messages', () => {
  it('is tried again after 15, 15, 30 and 180 seconds, and then gets all that happened, in one message', async () => {
    const receiver = await alarms.channel('dingtalk')
    receiver.refuse({ body: { errcode: 130101, errmsg: 'send too fast' } })
    const tries = () => gateway.logged().filter(({ msg }) => msg === 'an alarm channel did not take the alarms').length
    const before = tries()
    const atSecond: number[] = []
    shout('first')
    for (let second = 10; second <= 420; second += 10) {
      const sofar = tries()
      await alarms.look(1)
      if (tries() > sofar) atSecond.push(second)
      if (second === 100) shout('second')
    }
    expect(tries() - before).toBe(5)
    // Looks are ten seconds apart, so a pause of 15 ends at the second look after it.
    expect(atSecond.map((at) => at - (atSecond[0] ?? 0))).toEqual([0, 20, 40, 70, 250])
    receiver.refuse(null)
    gateway.advance(1_800_000)
    await alarms.look(2)
    expect(receiver.heard).toHaveLength(1)
    expect(receiver.heard[0]?.text).toMatch(/first[\s\S]*second/)
    await removeAll()
  })

  it('is seen: at the console, in the overview, in /metrics and in the log, until it takes one', async () => {
    const receiver = await alarms.channel('wecom', '值班群')
    const failing = async () => {
      gateway.advance(5000)
      const answer = await fetch(`${gateway.demo.baseUrl}/metrics`, { headers: { authorization: `Bearer ${METRICS}` } })
      return /^acopay_alarm_channel_failing (\d+)$/m.exec(await answer.text())?.[1]
    }
    expect(await failing()).toBe('0')
    receiver.refuse({ status: 500, body: {} })
    shout('not taken')
    await alarms.look(12)
    expect(await failing()).toBe('1')
    operator = await signedIn(gateway, 'an-operator')
    expect((await operator.get('overview')).body.alarms).toMatchObject({ failing_channels: 1 })
    expect((await operator.get('alarm-channels')).body.rows[0]).toMatchObject({
      last_answer: 'HTTP 500 {}',
      failing_from: expect.any(String),
    })
    const { rows } = (await operator.get('alarms')).body
    expect(rows.find(({ kind }: { kind: string }) => kind === 'alarm-channel-failing')).toMatchObject({
      about: { zh: '值班群' },
      cleared_at: null,
      runbook: 'docs/runbooks/alarm-channel-failing.md',
    })
    receiver.refuse(null)
    gateway.advance(180_000)
    await alarms.look(1)
    expect(await failing()).toBe('0')
    await removeAll()
  })
})

describe('the list of alarms', () => {
  it('has the open ones first, then those that ended, page by page', async () => {
    await gateway.world.pool.query('delete from alarm')
    for (const text of ['a', 'b', 'c']) {
      shout(text)
      await alarms.look(1)
    }
    gateway.advance(3_600_000)
    shout('c')
    await alarms.look(1)
    operator = await signedIn(gateway, 'an-operator')
    const listed: string[] = []
    let after = ''
    for (let page = 0; page < 5 && after !== null; page += 1) {
      const { body } = await operator.get(`alarms?limit=1${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`)
      listed.push(
        ...body.rows.map(
          (row: { subject: string; cleared_at: string | null }) =>
            `${row.subject} ${row.cleared_at === null ? 'open' : 'over'}`,
        ),
      )
      after = body.next
    }
    expect(listed).toEqual(['c open', 'b over', 'a over'])
    expect((await operator.get('alarms?after=x')).body).toMatchObject({ error: 'FIELD_INVALID', field: 'after' })
  })
})
