/** Alarms, and the channels to which they are told. */
import type { Page } from './session.ts'

type Text = { zh: string; en: string }

/** A row of `GET alarms`: the open ones first, then those that ended; the newest first in each part. */
export type AlarmRow = {
  /** The name of its runbook. */
  kind: string
  subject: string
  /** `page`: wakes a person. */
  severity: 'page' | 'ticket'
  text: Text
  /** What it is about, in words; empty where the text says it all. */
  about: Text
  /** How many now; of an event, how often since it was raised. */
  found: number
  /** The first few. `number`: of an order, a refund or an attempt, or a day; empty where it is about the merchant's account. */
  examples: { mch_no: string; number: string }[]
  /** The page below /console/ that shows more. */
  page: string
  runbook: string
  raised_at: string
  /** When it was last seen to hold. */
  seen_at: string
  /** When it was last told; null: not yet, or it ended before. */
  told_at: string | null
  cleared_at: string | null
}
export type AlarmList = Page<AlarmRow>

/**
 * A row of `GET alarm-channels`. `POST alarm-channels` adds one and answers its `channel_id`; `PUT alarm-channels/{channel_id}` changes
 * what is given, `DELETE` removes it, and `POST alarm-channels/{channel_id}/test` sends a message and answers a `ChannelTest`.
 */
export type AlarmChannelRow = {
  channel_id: string
  kind: 'mail' | 'webhook' | 'wecom' | 'dingtalk' | 'feishu'
  name: string
  enabled: boolean
  /** Null where the gateway's master keys do not open them. */
  settings: Partial<{
    /** The rest of a robot's address is a secret. */
    url_host: string
    secret_is_set: boolean
    host: string
    port: number
    security: 'tls' | 'starttls'
    user: string
    password_is_set: boolean
    sender: string
    recipients: string
  }> | null
  changed_at: string
  /** The last try, and what was answered. */
  tried_at: string | null
  last_answer: string | null
  /** Since when it fails; null while it does not. */
  failing_from: string | null
}
export type AlarmChannelList = { rows: AlarmChannelRow[]; next: null }

/** A field that is left out keeps its value; a dash (`-`) takes `secret`, `user` or `password` away. The kind cannot be changed. */
export type AlarmChannelAsk = Partial<{
  kind: AlarmChannelRow['kind']
  name: string
  enabled: boolean
  /** Of a robot or a webhook. */
  url: string
  secret: string
  /** Of mail. `recipients`: up to ten addresses with commas between. */
  host: string
  port: number
  security: 'tls' | 'starttls'
  user: string
  password: string
  sender: string
  recipients: string
}>
