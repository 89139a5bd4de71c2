/** Sends one message to one alarm channel, once, and says whether it was taken. */
import type { AlarmChannel, AlarmChannelKind } from '@acopay/store'
import {
  dingtalkForm,
  feishuForm,
  htmlText,
  isTaken,
  type Message,
  type Outgoing,
  plainText,
  type RobotSettings,
  webhookForm,
  wecomForm,
} from '../../outbound/alarm-forms.ts'
import { postInTime } from '../../outbound/post-in-time.ts'
import { type MailSettings, sendMail } from '../../outbound/send-mail.ts'
import type { World } from '../../world.ts'

export type AlarmSettings =
  | ({ kind: 'mail' } & MailSettings)
  | ({ kind: Exclude<AlarmChannelKind, 'mail'> } & RobotSettings)

/** The place that a channel's settings are sealed for. */
export const alarmChannelPlace = (channelId: string): string => `alarm_channel/${channelId}`

export const sealAlarmSettings = ({ secrets }: World, channelId: string, settings: AlarmSettings): Buffer =>
  secrets.seal(alarmChannelPlace(channelId), JSON.stringify(settings))

export const alarmSettings = (
  { secrets }: World,
  { channelId, settingsSealed }: Pick<AlarmChannel, 'channelId' | 'settingsSealed'>,
): AlarmSettings => JSON.parse(secrets.unseal(alarmChannelPlace(channelId), settingsSealed)) as AlarmSettings

/** `answer`: what the other side said, cut and without control characters; or why nothing was said. */
export type Sent = { isTaken: boolean; answer: string }

const POST_MS = 10_000
const ANSWER_MAX = 300

/** `id`: the same for every try of one message. */
export async function sendAlarm(
  world: World,
  settings: AlarmSettings,
  { id, message }: { id: string; message: Message },
): Promise<Sent> {
  if (settings.kind === 'mail') {
    const mail = { subject: message.title, text: plainText(message), html: htmlText(message) }
    const { isSent, answer } = await sendMail(world.addressOf, settings, mail)
    return { isTaken: isSent, answer: brief(answer) }
  }
  // The robots hold the time against their own clocks.
  const nowMs = world.now().getTime() - world.aheadMs()
  const posted = await postInTime(world, formOf(settings, { id, message, nowMs }), POST_MS)
  if (posted.httpStatus === null) return { isTaken: false, answer: posted.why }
  const isFine = posted.httpStatus >= 200 && posted.httpStatus < 300
  return {
    isTaken: isFine && (settings.kind === 'webhook' || isTaken(posted.reply)),
    answer: brief(`HTTP ${posted.httpStatus} ${posted.reply ?? ''}`),
  }
}

function formOf(
  settings: Exclude<AlarmSettings, { kind: 'mail' }>,
  { id, message, nowMs }: { id: string; message: Message; nowMs: number },
): Outgoing {
  switch (settings.kind) {
    case 'wecom':
      return wecomForm(settings, message)
    case 'dingtalk':
      return dingtalkForm(settings, message, nowMs)
    case 'feishu':
      return feishuForm(settings, message, nowMs)
    case 'webhook':
      return webhookForm(settings, message, { id, nowMs })
  }
}

const brief = (answer: string): string =>
  answer
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
    .replace(/[\u0000-\u001f\u007f\ud800-\udfff]+/g, ' ')
    .trim()
    .slice(0, ANSWER_MAX)
