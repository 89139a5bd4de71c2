/** A merchant's apps: which channels they offer, switching them on and off, and adding one. */
import type { MerchantDetail } from '@acopay/protocol/console'
import { App, Button, Form, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { when } from '../../format.ts'
import { Mono, Rows, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { AppShopForm } from './app-shop-form.tsx'
import { NUMBER } from './merchants.tsx'
import { useChange } from './use-change.ts'

type AppRow = MerchantDetail['apps'][number]
type Change = ReturnType<typeof useChange>

export function Apps({ merchant, path, mayWrite }: { merchant: MerchantDetail; path: string; mayWrite: boolean }) {
  const { t } = usePreferences()
  const change = useChange(path)
  const all = merchant.channels.map(({ channel }) => channel)
  return (
    <>
      <Rows
        label={t('apps')}
        rows={merchant.apps}
        keyOf={(one) => one.app_no}
        columns={[
          { text: 'appNo', show: (one) => <Mono>{one.app_no}</Mono> },
          { text: 'name', show: (one) => one.name, isText: true },
          { text: 'state', show: (one) => <State of={one.enabled ? 'in_use' : 'disabled'} /> },
          {
            text: 'channels',
            show: (one) => <Channels of={one} all={all} mayWrite={mayWrite} change={change} />,
          },
          { text: 'returnUrl', show: (one) => one.return_url ?? t('notSet'), isText: true },
          {
            text: 'toldOfSentBack',
            show: (one) => <ToldOfSentBack of={one} mayWrite={mayWrite} change={change} />,
          },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          { text: 'actions', show: (one) => mayWrite && <Actions of={one} path={path} change={change} /> },
        ]}
      />
      {mayWrite && <AddApp change={change} />}
    </>
  )
}

function Channels(props: { of: AppRow; all: string[]; mayWrite: boolean; change: Change }) {
  const { t, word } = usePreferences()
  const { app_no, channels } = props.of
  // An empty choice means all channels. An app that should offer none is switched off instead.
  const offer = (chosen: string[]): void => {
    const body = { channels: chosen.length === 0 ? null : chosen }
    props.change.mutate({ method: 'PUT', to: `/apps/${app_no}`, body })
  }
  return (
    <Select
      mode="multiple"
      size="small"
      className="channels"
      aria-label={`${t('channels')} ${app_no}`}
      placeholder={t('allChannels')}
      disabled={!props.mayWrite}
      value={channels ?? []}
      options={props.all.map((channel) => ({ value: channel, label: word(channel) }))}
      onChange={offer}
    />
  )
}

/** Whether the merchant is notified of money that was sent back. Switching it on asks first: the official SDK does not know it. */
function ToldOfSentBack({ of, mayWrite, change }: { of: AppRow; mayWrite: boolean; change: Change }) {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const { app_no, told_of_sent_back } = of
  const tell = (told: boolean): void => {
    const onOk = () =>
      change.mutateAsync({ method: 'PUT', to: `/apps/${app_no}`, body: { told_of_sent_back: told } }).catch(() => {})
    if (told) void modal.confirm({ title: `${t('toldOfSentBack')}: ${app_no}`, content: t('toldOfSentBackSay'), onOk })
    else void onOk()
  }
  return (
    <Switch
      size="small"
      checked={told_of_sent_back}
      disabled={!mayWrite}
      onChange={tell}
      aria-label={`${t('toldOfSentBack')} ${app_no}`}
    />
  )
}

function Actions({ of, path, change }: { of: AppRow; path: string; change: Change }) {
  const { t } = usePreferences()
  const [isOpen, setOpen] = useState(false)
  return (
    <span className="buttons-inline">
      <Button size="small" onClick={() => setOpen(true)} aria-label={`${t('shopOfApp')} ${of.app_no}`}>
        {t('shopOfApp')}
      </Button>
      <Turn of={of} change={change} />
      {isOpen && <AppShopForm of={of} path={path} onClose={() => setOpen(false)} />}
    </span>
  )
}

/** The button that switches an app on or off, after a question. */
function Turn({ of: { app_no, enabled }, change }: { of: AppRow; change: Change }) {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const title = enabled ? t('disable') : t('enable')
  const turn = (): void => {
    const body = { enabled: !enabled }
    const onOk = () => change.mutateAsync({ method: 'PUT', to: `/apps/${app_no}`, body }).catch(() => {})
    void modal.confirm({ title: `${title}: ${app_no}`, okText: title, onOk })
  }
  return (
    <Button size="small" onClick={turn} aria-label={`${title} ${app_no}`}>
      {title}
    </Button>
  )
}

function AddApp({ change }: { change: Change }) {
  const { t } = usePreferences()
  const [form] = Form.useForm()
  const add = (body: object): void =>
    change.mutate({ method: 'POST', to: '/apps', body }, { onSuccess: () => form.resetFields() })
  return (
    <Form form={form} layout="inline" className="below" onFinish={add}>
      <Form.Item
        name="app_no"
        label={t('appNo')}
        rules={[{ required: true, pattern: NUMBER, message: t('numberRule') }]}
      >
        <Input />
      </Form.Item>
      <Form.Item name="name" label={t('appName')} rules={[{ required: true, max: 64, message: t('needed') }]}>
        <Input />
      </Form.Item>
      <Button htmlType="submit">{t('addApp')}</Button>
    </Form>
  )
}
