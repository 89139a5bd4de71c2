/** The keys with which the platform signs. A new one is shown to merchants before it signs; docs/keys.md tells when which is needed. */
import type { PlatformKeyRow } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { App, Button, Form, InputNumber } from 'antd'
import { call, gatewayMs, queries } from '../../api.ts'
import { when } from '../../format.ts'
import { ListPage } from '../../list-page.tsx'
import { Mono, State, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

const PATH = 'platform-keys'
const DAYS_AHEAD = 7

export function PlatformKeys() {
  return (
    <ListPage<PlatformKeyRow>
      title="platformKeyList"
      path={PATH}
      filters={[]}
      actions={() => <AddPlatformKey />}
      keyOf={(row) => row.key_id}
      columns={[
        { text: 'keyId', show: (row) => <Mono>{row.key_id}</Mono> },
        { text: 'state', show: (row) => <State of={stateOf(row)} /> },
        { text: 'validFrom', show: (row) => when(row.valid_from) },
        { text: 'validUntil', show: (row) => when(row.valid_until) },
        { text: 'platformPublicKey', show: (row) => <Mono>{row.public_key}</Mono>, isText: true },
        { text: 'actions', show: (row) => <EndPlatformKey of={row} /> },
      ]}
    />
  )
}

function stateOf({ signs_now, valid_from, valid_until }: PlatformKeyRow): string {
  if (signs_now) return 'signs_now'
  if (valid_until !== null && Date.parse(valid_until) <= gatewayMs()) return 'ended'
  return Date.parse(valid_from) > gatewayMs() ? 'signs_later' : 'verifies'
}

function useKeyChange() {
  const { message } = App.useApp()
  const says = useSays()
  return useMutation({
    mutationFn: ({ method, to = '', body = {} }: { method: 'POST' | 'DELETE'; to?: string; body?: object }) =>
      call<unknown>(method, PATH + to, body),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
  })
}

function AddPlatformKey() {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const change = useKeyChange()
  const add = (body: { days: number }): void => {
    const onOk = () => change.mutateAsync({ method: 'POST', body }).catch(() => {})
    void modal.confirm({
      title: t('addPlatformKey'),
      content: t('addPlatformKeyAsk'),
      okText: t('addPlatformKey'),
      onOk,
    })
  }
  return (
    <>
      <p className="note">{t('platformKeyListSay')}</p>
      <Form layout="inline" requiredMark={false} initialValues={{ days: DAYS_AHEAD }} onFinish={add}>
        <Form.Item name="days" label={t('signsAfterDays')} rules={[{ required: true, message: t('needed') }]}>
          <InputNumber min={0} max={90} precision={0} />
        </Form.Item>
        <Button htmlType="submit" loading={change.isPending}>
          {t('addPlatformKey')}
        </Button>
      </Form>
    </>
  )
}

function EndPlatformKey({ of }: { of: PlatformKeyRow }) {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const change = useKeyChange()
  if (stateOf(of) === 'ended') return null
  const end = (): void => {
    const onOk = () => change.mutateAsync({ method: 'DELETE', to: `/${of.key_id}` }).catch(() => {})
    void modal.confirm({
      title: `${t('endKey')}: ${of.key_id}`,
      content: t('endPlatformKeyAsk'),
      okText: t('endKey'),
      onOk,
    })
  }
  return (
    <Button size="small" onClick={end} aria-label={`${t('endKey')} ${of.key_id}`}>
      {t('endKey')}
    </Button>
  )
}
