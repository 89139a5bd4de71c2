/** One merchant: what it is called and from where, its apps, keys and channel accounts. */
import type { MerchantChange, MerchantDetail } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { App, Button, Form, Input, InputNumber, Select, Spin, Switch } from 'antd'
import { call } from '../api.ts'
import { when } from '../format.ts'
import { Fact, Mono, Rows, State, Title, Trouble } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { ChannelAccount } from './merchant-channel.tsx'
import { Keys } from './merchant-keys.tsx'
import { NUMBER } from './merchants.tsx'
import { useChange } from './use-change.ts'

export function MerchantPage() {
  const { t } = usePreferences()
  const { mchNo } = useParams({ strict: false }) as { mchNo: string }
  const path = `merchants/${mchNo}`
  const found = useQuery({ queryKey: [path], queryFn: () => call<MerchantDetail>('GET', path) })
  if (found.error !== null) return <Trouble error={found.error} retry={() => void found.refetch()} />
  if (found.data === undefined) return <Spin />
  const merchant = found.data
  const may = (what: string): boolean => merchant.editable.includes(what)
  return (
    <>
      <Title window={merchant.name}>
        {merchant.name} <Mono>{merchant.mch_no}</Mono>
      </Title>
      <dl className="facts">
        <Fact text={t('state')}>
          <State of={merchant.enabled ? 'in_use' : 'disabled'} />
        </Fact>
        <Fact text={t('createdAt')}>{when(merchant.created_at)}</Fact>
        <Fact text={t('rate')}>{merchant.rate_per_second ?? t('asDefault')}</Fact>
        <Fact text={t('allowedIps')}>{merchant.allowed_ips.join(', ') || t('anyAddress')}</Fact>
      </dl>
      {merchant.editable.length > 0 && <Change key={formOf(merchant)} merchant={merchant} path={path} />}
      <h2>{t('apps')}</h2>
      <Apps merchant={merchant} path={path} mayWrite={may('apps')} />
      <h2>{t('keys')}</h2>
      <Keys merchant={merchant} path={path} mayWrite={may('keys')} />
      <h2>{t('channelAccounts')}</h2>
      <div className="columns">
        {merchant.channels.map((one) => (
          <ChannelAccount key={one.channel + one.changed_at} account={one} path={path} mayWrite={may('channels')} />
        ))}
      </div>
      <h2>{t('platformKeys')}</h2>
      <p className="note">{t('platformKeysSay')}</p>
      {merchant.platform_keys.map(({ key_id, public_key }) => (
        <p key={key_id} className="mono wrap">
          {public_key}
        </p>
      ))}
    </>
  )
}

/** The form begins anew when what it shows has changed, and at nothing else. */
const formOf = ({ name, enabled, rate_per_second, allowed_ips }: MerchantDetail): string =>
  JSON.stringify([name, enabled, rate_per_second, allowed_ips])

type Values = { name?: string; enabled?: boolean; rate_per_second?: number | null; ips: string }

/** What differs from what the form was shown with: a form that lay open for an hour changes nothing else back. */
function changesIn(values: Values, merchant: MerchantDetail): MerchantChange {
  const { name = merchant.name, enabled = merchant.enabled, rate_per_second: rate, ips } = values
  const rate_per_second = rate === undefined ? merchant.rate_per_second : rate
  const allowed_ips = ips.split(/[\s,，]+/).filter((part) => part !== '')
  return {
    ...(name === merchant.name ? {} : { name }),
    ...(enabled === merchant.enabled ? {} : { enabled }),
    ...(rate_per_second === merchant.rate_per_second ? {} : { rate_per_second }),
    ...(allowed_ips.join() === merchant.allowed_ips.join() ? {} : { allowed_ips }),
  }
}

function Change({ merchant, path }: { merchant: MerchantDetail; path: string }) {
  const { t } = usePreferences()
  const { message, modal } = App.useApp()
  const change = useChange(path)
  const may = (what: string): boolean => merchant.editable.includes(what)
  const save = (values: Values): void => {
    const body = changesIn(values, merchant)
    if (Object.keys(body).length === 0) return void message.info(t('nothingChanged'))
    const send = () =>
      change.mutateAsync({ method: 'PUT', to: '', body }).then(
        () => void message.success(t('saved')),
        () => {},
      )
    if (body.enabled !== false) return void send()
    const title = `${t('disable')}: ${merchant.mch_no}`
    void modal.confirm({ title, content: t('disableMerchantAsk'), okText: t('disable'), onOk: send })
  }
  return (
    <Form
      className="panel"
      layout="vertical"
      requiredMark={false}
      initialValues={{ ...merchant, ips: merchant.allowed_ips.join('\n') }}
      onFinish={save}
    >
      {may('name') && (
        <>
          <Form.Item name="name" label={t('name')} rules={[{ required: true, max: 64, message: t('needed') }]}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="enabled" label={t('mayCall')} valuePropName="checked">
            <Switch />
          </Form.Item>
          <Form.Item name="rate_per_second" label={t('rate')}>
            <InputNumber min={1} max={1_000_000} placeholder={t('asDefault')} />
          </Form.Item>
        </>
      )}
      <Form.Item name="ips" label={t('allowedIpsRule')}>
        <Input.TextArea rows={3} placeholder={t('anyAddress')} />
      </Form.Item>
      <Button htmlType="submit" loading={change.isPending}>
        {t('save')}
      </Button>
    </Form>
  )
}

function Apps({ merchant, path, mayWrite }: { merchant: MerchantDetail; path: string; mayWrite: boolean }) {
  const { t, word } = usePreferences()
  const { modal } = App.useApp()
  const change = useChange(path)
  const [form] = Form.useForm()
  // None chosen is all of them: an app that offers nothing is switched off instead.
  const offer = (app_no: string, channels: string[]): void =>
    change.mutate({ method: 'PUT', to: `/apps/${app_no}`, body: { channels: channels.length === 0 ? null : channels } })
  const turn = (app_no: string, enabled: boolean): void => {
    const title = enabled ? t('enable') : t('disable')
    const body = { enabled }
    const onOk = () => change.mutateAsync({ method: 'PUT', to: `/apps/${app_no}`, body }).catch(() => {})
    void modal.confirm({ title: `${title}: ${app_no}`, okText: title, onOk })
  }
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
            show: (one) => (
              <Select
                mode="multiple"
                size="small"
                className="channels"
                aria-label={`${t('channels')} ${one.app_no}`}
                placeholder={t('allChannels')}
                disabled={!mayWrite}
                value={one.channels ?? []}
                options={merchant.channels.map(({ channel }) => ({ value: channel, label: word(channel) }))}
                onChange={(channels: string[]) => offer(one.app_no, channels)}
              />
            ),
          },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          {
            text: 'deeds',
            show: (one) =>
              mayWrite && (
                <Button
                  size="small"
                  onClick={() => turn(one.app_no, !one.enabled)}
                  aria-label={`${one.enabled ? t('disable') : t('enable')} ${one.app_no}`}
                >
                  {one.enabled ? t('disable') : t('enable')}
                </Button>
              ),
          },
        ]}
      />
      {mayWrite && (
        <Form
          form={form}
          layout="inline"
          className="below"
          onFinish={(body) =>
            change.mutate({ method: 'POST', to: '/apps', body }, { onSuccess: () => form.resetFields() })
          }
        >
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
      )}
    </>
  )
}
