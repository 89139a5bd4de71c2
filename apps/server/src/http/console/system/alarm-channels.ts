/** Where alarms are told. Addresses of robots and passwords are secrets: they can be written here, and no answer contains them. */
import { isIP } from 'node:net'
import type { AlarmChannelList, AlarmChannelRow, ChannelTest } from '@acopay/protocol/console'
import { ALARM_CHANNEL_KINDS, type AlarmChannel, alarmChannels } from '@acopay/store/read'
import {
  type AlarmChannelAsk,
  addChannel,
  changeChannel,
  findAlarmChannel,
  removeChannel,
  testChannel,
} from '../../../actions/alarm/alarm-channels.ts'
import { type AlarmSettings, alarmSettings } from '../../../actions/alarm/send.ts'
import { hidden } from '../../../actions/console/audit.ts'
import { MAIL_PORTS } from '../../../outbound/send-mail.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'

type Fields = ReturnType<typeof fieldsOf>
type Shown = AlarmChannelRow['settings']

/** What is shown of the settings: of a robot's address only the host, since the rest of it is a secret. */
const shownOf = (settings: AlarmSettings): Shown =>
  settings.kind === 'mail'
    ? {
        ...{ host: settings.host, port: settings.port, security: settings.security, user: settings.user },
        ...{ sender: settings.sender, recipients: settings.recipients, password_is_set: settings.password !== '' },
      }
    : { url_host: new URL(settings.url).host, secret_is_set: settings.secret !== '' }

const rowOf = (world: World, one: AlarmChannel): AlarmChannelRow => ({
  channel_id: one.channelId,
  kind: one.kind,
  name: one.name,
  enabled: one.isEnabled,
  settings: shownSafely(world, one),
  changed_at: one.changedAt.toISOString(),
  tried_at: one.triedAt?.toISOString() ?? null,
  last_answer: one.lastAnswer,
  failing_from: one.failingFrom?.toISOString() ?? null,
})

/** Null where no master key opens them: the channel can still be changed or removed. */
function shownSafely(world: World, one: AlarmChannel): Shown | null {
  try {
    return shownOf(alarmSettings(world, one))
  } catch {
    return null
  }
}

async function list(world: World): Promise<AlarmChannelList> {
  return { rows: (await alarmChannels(world.pool)).map((one) => rowOf(world, one)), next: null }
}

const URL_MAX = 1000
const SECRET_MAX = 200
const NAME_MAX = 64

/** A secret that is left out keeps its stored value; a dash takes it away. */
function secretIn(read: Fields, field: string, before: string): string {
  const text = read.text(field, SECRET_MAX)
  if (text === null) return before
  return text === '-' ? '' : text
}

function readRobot(
  world: World,
  read: Fields,
  kind: Exclude<AlarmSettings['kind'], 'mail'>,
  before: AlarmSettings | null,
) {
  const old = before?.kind === kind ? before : { url: '', secret: '' }
  const text = read.text('url', URL_MAX) ?? old.url
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !isPostable(world, url)) {
    read.say('url', '应为https网址', 'should be an https URL')
    return { kind, url: '', secret: '' }
  }
  const refused = world.urlRefusal(url)
  if (refused !== null) {
    if (refused === 'port') read.say('url', '的端口不在允许之列', 'names a port that may not be called')
    else read.say('url', '应为公网地址', 'should be at a public address')
  }
  const secret = secretIn(read, 'secret', old.secret)
  if (kind === 'webhook' && secret !== '' && !/^(?:whsec_)?[A-Za-z0-9+/]{22,}={0,2}$/.test(secret))
    read.say('secret', '应为至少16字节的Base64', 'should be at least 16 bytes in Base64')
  return { kind, url: url.href, secret }
}

/** Over https; in the sandbox also over http to this machine. */
const isPostable = (world: World, { protocol, username, hostname }: URL): boolean =>
  username === '' && (protocol === 'https:' || (world.isSandbox && protocol === 'http:' && isHere(hostname)))
const isHere = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host)

const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i
const MAIL_ADDRESS = /^[^\s@,<>"]{1,64}@[a-z0-9.-]{1,190}$/i
const TO_MAX = 10

const NO_MAIL = { host: '', port: null, security: 'tls', user: '', password: '', sender: '', recipients: '' } as const

function readMail(world: World, read: Fields, before: AlarmSettings | null): AlarmSettings {
  const old = before?.kind === 'mail' ? before : NO_MAIL
  const host = read.text('host', 253) ?? old.host
  if (isIP(host) === 0 && !HOST.test(host)) read.say('host', '应为主机名', 'should be the name of a host')
  const security = read.word('security', ['tls', 'starttls']) ?? old.security
  const port = read.whole('port', 1, 65_535) ?? old.port ?? (security === 'tls' ? 465 : 587)
  if (!world.isSandbox && !MAIL_PORTS.includes(port))
    read.say('port', `应为 ${MAIL_PORTS.join('、')} 之一`, `should be one of ${MAIL_PORTS.join(', ')}`)
  const sender = read.text('sender', 255) ?? old.sender
  if (!MAIL_ADDRESS.test(sender)) read.say('sender', '应为邮箱地址', 'should be a mail address')
  const to = (read.text('recipients', 2000) ?? old.recipients).split(',').map((one) => one.trim())
  if (to.length > TO_MAX || !to.every((one) => MAIL_ADDRESS.test(one)))
    read.say(
      'recipients',
      `应为至多${TO_MAX}个邮箱地址，以逗号分隔`,
      `should be up to ${TO_MAX} mail addresses with commas between`,
    )
  const [user, password] = [secretIn(read, 'user', old.user), secretIn(read, 'password', old.password)]
  return { kind: 'mail', host, port, security, user, password, sender, recipients: to.join(', ') }
}

/** `before`: the channel that is changed; null for a new one, which needs all fields. */
function readAsk(
  world: World,
  body: ConsoleCall['body'],
  before: { channel: AlarmChannel; settings: AlarmSettings | null } | null,
): AlarmChannelAsk | Failed {
  const read = fieldsOf(body)
  const kind = before?.channel.kind ?? read.word('kind', ALARM_CHANNEL_KINDS)
  if (kind === null) read.say('kind', '不能为空', 'is missing')
  const name = read.text('name', NAME_MAX) ?? before?.channel.name ?? read.needed('name', NAME_MAX)
  const isEnabled = read.yes('enabled') ?? before?.channel.isEnabled ?? true
  const old = before?.settings ?? null
  const settings = kind === null || kind === 'mail' ? readMail(world, read, old) : readRobot(world, read, kind, old)
  return read.failed() ?? { name, isEnabled, settings }
}

const ABSENT = () => failed('NOT_FOUND', '没有这个告警渠道', 'There is no such alarm channel')
const found = (world: World, { path }: ConsoleCall) => findAlarmChannel(world, path.channel_id ?? '')

async function add(world: World, { body }: ConsoleCall): Promise<{ channel_id: string } | Failed> {
  const ask = readAsk(world, body, null)
  if (ask instanceof Failed) return ask
  const channelId = await addChannel(world, ask)
  if (channelId === null) return failed('CONFLICT', '告警渠道太多，请先删除不用的', 'There are too many alarm channels')
  return { channel_id: channelId }
}

async function change(world: World, call: ConsoleCall): Promise<object | Failed> {
  const channel = await found(world, call)
  if (channel === null) return ABSENT()
  const ask = readAsk(world, call.body, { channel, settings: openSafely(world, channel) })
  if (ask instanceof Failed) return ask
  return (await changeChannel(world, channel.channelId, ask)) ? {} : ABSENT()
}

function openSafely(world: World, channel: AlarmChannel): AlarmSettings | null {
  try {
    return alarmSettings(world, channel)
  } catch {
    return null
  }
}

async function remove(world: World, { path }: ConsoleCall): Promise<object | Failed> {
  return (await removeChannel(world, path.channel_id ?? '')) ? {} : ABSENT()
}

async function test(world: World, call: ConsoleCall): Promise<ChannelTest | Failed> {
  const channel = await found(world, call)
  if (channel === null) return ABSENT()
  const { isTaken, answer, ms } = await testChannel(world, channel)
  const message = isTaken
    ? { zh: `已送达：${answer}`, en: `It was taken: ${answer}` }
    : { zh: `没有送达：${answer}`, en: `It was not taken: ${answer}` }
  return { is_fine: isTaken, ms, message }
}

/** Each channel by its id; of a secret, only whether it is another one. */
async function stateOf(world: World): Promise<Record<string, unknown>> {
  const all = await alarmChannels(world.pool)
  return Object.fromEntries(
    all.map((one) => {
      const settings = openSafely(world, one)
      const secrets = settings === null ? {} : secretsOf(world, settings)
      const { kind, name, enabled, settings: shown } = rowOf(world, one)
      return [one.channelId, { kind, name, enabled, ...shown, ...secrets }]
    }),
  )
}

const secretsOf = (world: World, settings: AlarmSettings): Record<string, string> =>
  settings.kind === 'mail'
    ? { password: hidden(world, settings.password) }
    : { url: hidden(world, settings.url), secret: hidden(world, settings.secret) }

const write = { permission: 'alarms.write', needsProof: () => true, stateOf } as const
const one = ({ path }: ConsoleCall) => ({ mchNo: null, subject: path.channel_id ?? null })

export const alarmChannelEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'alarm-channels', permission: 'alarms.read', handle: list },
  {
    ...{ method: 'POST', path: 'alarm-channels', ...write, action: 'alarm_channels.add', handle: add },
    audited: ({ body }) => ({ mchNo: null, subject: briefOf(body.name, NAME_MAX) || null }),
  },
  {
    ...{ method: 'PUT', path: 'alarm-channels/:channel_id', ...write, action: 'alarm_channels.change', handle: change },
    audited: one,
  },
  {
    ...{ method: 'DELETE', path: 'alarm-channels/:channel_id', ...write, action: 'alarm_channels.remove' },
    audited: one,
    handle: remove,
  },
  {
    ...{ method: 'POST', path: 'alarm-channels/:channel_id/test', permission: 'alarms.write' },
    ...{ action: 'alarm_channels.test', audited: one, handle: test },
  },
]
