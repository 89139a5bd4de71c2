/** One merchant: its name, the addresses it calls from, its apps, keys and channel accounts. */
import type { MerchantChange, MerchantDetail } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { App, Button, Form, Input, InputNumber, Spin, Switch } from 'antd'
import { call } from '../../api.ts'
import { when } from '../../format.ts'
import { Fact, Mono, State, Title, Trouble } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { Apps } from './merchant-apps.tsx'
import { ChannelAccount } from './merchant-channel.tsx'
import { Keys } from './merchant-keys.tsx'
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
      {merchant.platform_keys.map(({ key_id, public_key, valid_from, valid_until }) => (
        <section key={key_id} className="below">
          <Mono>{key_id}</Mono> {when(valid_from)} – {when(valid_until)}
          <p className="mono wrap">{public_key}</p>
        </section>
      ))}
    </>
  )
}

/** The form's key: the form starts again when the values that it shows have changed, and only then. */
const formOf = ({ name, enabled, rate_per_second, allowed_ips }: MerchantDetail): string =>
  JSON.stringify([name, enabled, rate_per_second, allowed_ips])

type Values = { name?: string; enabled?: boolean; rate_per_second?: number | null; ips: string }

/** Only the values that the user changed: a form that stayed open for an hour does not undo other users' changes. */
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
