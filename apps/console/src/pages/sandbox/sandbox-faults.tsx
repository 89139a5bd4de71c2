/** The faults that an upstream has from now on. docs/sandbox.md describes each kind. */
import type { SandboxFault } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Form, InputNumber, Select } from 'antd'
import { type ReactNode, useState } from 'react'
import { call, queries } from '../../api.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

const KINDS = [
  'lost_answer',
  'slow_answer',
  'error_before',
  'error_after',
  'unreadable',
  'bad_signature',
  'lands_late',
  'closes_late',
  'closes_never',
  'refunds_late',
  'refunds_spaced',
  'refused_then_done',
  'says',
  'unsigned',
  'other_number',
  'gbk',
  'probe',
  'twin',
  'silence',
]
const VERBS = ['create', 'query', 'close', 'refund', 'query_refund', 'bill', 'notify']

export function Faults() {
  const { t, word } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [channel, setChannel] = useState('wechat')
  const path = `sandbox/faults/${channel}`
  const { data } = useQuery({ queryKey: [path], queryFn: () => call<{ faults: SandboxFault[] }>('GET', path) })
  const faults = data?.faults ?? []
  const put = useMutation({
    mutationFn: (next: SandboxFault[]) => call('PUT', path, { faults: next }),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [path] }),
  })
  return (
    <section className="panel">
      <h2>{t('faults')}</h2>
      <p className="note">{t('faultsSay')}</p>
      <Select
        aria-label={t('channel')}
        value={channel}
        onChange={setChannel}
        options={['wechat', 'alipay'].map((value) => ({ value, label: word(value) }))}
      />
      <ul>
        {faults.map(({ kind, verb, times }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
          <li key={index}>
            {word(kind)} {verb === undefined ? '' : word(verb)} {times === undefined ? '' : `×${times}`}
          </li>
        ))}
      </ul>
      <AddFault add={(fault) => put.mutate([...faults, fault])}>
        <Button onClick={() => put.mutate([])} disabled={faults.length === 0}>
          {t('endFaults')}
        </Button>
      </AddFault>
    </section>
  )
}

/** `children` follow the form's own button in its line. */
function AddFault({ add, children }: { add: (fault: SandboxFault) => void; children: ReactNode }) {
  const { t, word } = usePreferences()
  const optionsOf = (values: string[]) => values.map((value) => ({ value, label: word(value) }))
  const send = ({ kind, verb, times, ms }: SandboxFault): void =>
    add({ kind, times: times ?? 1, ...(verb ? { verb } : {}), ...(ms ? { ms } : {}) })
  return (
    <Form layout="inline" initialValues={{ kind: 'lost_answer', times: 1 }} onFinish={send} style={{ rowGap: 8 }}>
      <Form.Item name="kind" label={t('kind')}>
        <Select options={optionsOf(KINDS)} style={{ minWidth: 160 }} />
      </Form.Item>
      <Form.Item name="verb" label={t('verb')}>
        <Select allowClear options={optionsOf(VERBS)} style={{ minWidth: 120 }} />
      </Form.Item>
      <Form.Item name="times" label={t('times')}>
        <InputNumber min={1} max={1000} />
      </Form.Item>
      <Form.Item name="ms" label={t('ms')}>
        <InputNumber min={1} max={600_000} />
      </Form.Item>
      <Button htmlType="submit">{t('addFault')}</Button>
      {children}
    </Form>
  )
}
