/** Tries every call of the transactions API: signs it in the browser, sends it, and verifies the answer's signature. */
import type { SandboxDemo } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Select, Spin } from 'antd'
import { useState } from 'react'
import { call, session } from '../../api.ts'
import { Title, Trouble, useSuggested } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import {
  type Call,
  callsOf,
  type Field,
  given,
  initialOf,
  labelOf,
  numbersIn,
  type OpenApi,
  textIn,
} from './explorer-calls.ts'
import { type Keys, type Sent, sendSigned } from './explorer-sign.ts'

export function Explorer() {
  const { t, language } = usePreferences()
  const { data: who } = useQuery(session)
  const document = useQuery({
    queryKey: ['openapi'],
    queryFn: async () => (await (await fetch('/openapi.json')).json()) as OpenApi,
  })
  const demo = useQuery({
    queryKey: ['sandbox/demo'],
    queryFn: () => call<SandboxDemo>('GET', 'sandbox/demo'),
    enabled: who?.permissions.includes('sandbox.use') ?? false,
  })
  const [chosen, setChosen] = useState('placeOrder')
  const [numbers, setNumbers] = useState<Record<string, string>>({})
  if (document.error !== null) return <Trouble error={document.error} />
  if (document.data === undefined || (demo.isPending && demo.fetchStatus !== 'idle')) return <Spin />
  const calls = callsOf(document.data)
  const one = calls.find(({ key }) => key === chosen) ?? calls[0]
  if (one === undefined) return null
  return (
    <>
      <Title>{t('explorer')}</Title>
      <p className="note">
        {t('explorerSays')} <a href="/openapi.json">openapi.json</a> · <a href="/reference">{t('reference')}</a>
      </p>
      <Select
        aria-label={t('operation')}
        value={one.key}
        onChange={setChosen}
        className="wide-select"
        options={calls.map((option) => ({ value: option.key, label: labelOf(option, language) }))}
      />
      {window.isSecureContext ? (
        <TryOut
          key={one.key}
          tried={one}
          base={document.data.servers[0]?.url.replace(/\/$/, '') ?? ''}
          keys={demo.data ?? null}
          known={{ app_no: demo.data?.app_no ?? '', ...numbers }}
          onNumbers={(found) => setNumbers({ ...numbers, ...found })}
        />
      ) : (
        <Alert type="warning" showIcon title={t('needsHttps')} />
      )}
    </>
  )
}

function TryOut(props: {
  tried: Call
  base: string
  keys: SandboxDemo | null
  known: Record<string, string>
  onNumbers: (found: Record<string, string>) => void
}) {
  const { t } = usePreferences()
  const { tried, base, keys, known } = props
  const { fields } = tried
  const send = useMutation({
    mutationFn: ({ mch_no, private_key, platform_public_key, ...params }: Record<string, string>) =>
      sendSigned(`${base}${tried.path}`, tried.method, given(params), {
        mch_no,
        private_key,
        platform_public_key,
      } as Keys),
    onSuccess: ({ data }) => props.onNumbers(numbersIn(data)),
  })
  const [form] = Form.useForm<Record<string, string>>()
  const suggested = { description: t('testOrder'), refund_reason: t('testRefund') }
  const needed = new Set(fields.flatMap(({ name, required }) => (required ? [name] : [])))
  useSuggested(form, Object.fromEntries(Object.entries(suggested).filter(([name]) => needed.has(name))))
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      className="below"
      initialValues={{ ...keys, ...initialOf(tried, known) }}
      onFinish={(values) => send.mutate(values)}
    >
      <div className="columns">
        <Parameters fields={fields} />
        <SignWith />
      </div>
      <div className="buttons">
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('send')}
        </Button>
      </div>
      {send.error !== null && (
        <Alert type="error" showIcon title={send.error.message === 'KEY' ? t('keyUnreadable') : t('unreachable')} />
      )}
      {send.data !== undefined && <Answer sent={send.data} />}
    </Form>
  )
}

function Parameters({ fields }: { fields: Field[] }) {
  const { t, language } = usePreferences()
  return (
    <section className="panel">
      <h2>{t('parameters')}</h2>
      {fields.map(({ name, required, maxLength, says }) => (
        <Form.Item
          key={name}
          name={name}
          label={required ? name : `${name} (${t('optional')})`}
          extra={says && textIn(says, language)}
          rules={[{ required, message: t('needed') }]}
        >
          <Input {...(maxLength === undefined ? {} : { maxLength })} />
        </Form.Item>
      ))}
    </section>
  )
}

/** The merchant and the keys. They stay in the browser, which signs. */
function SignWith() {
  const { t } = usePreferences()
  return (
    <section className="panel">
      <h2>{t('signWith')}</h2>
      <p className="note">{t('signSays')}</p>
      <Form.Item name="mch_no" label={t('merchantNo')} rules={[{ required: true, message: t('needed') }]}>
        <Input />
      </Form.Item>
      <Form.Item name="private_key" label={t('privateKey')} rules={[{ required: true, message: t('needed') }]}>
        <Input.Password autoComplete="off" visibilityToggle={false} />
      </Form.Item>
      <Form.Item name="platform_public_key" label={t('platformKey')}>
        <Input />
      </Form.Item>
    </section>
  )
}

function Answer({ sent }: { sent: Sent }) {
  const { t } = usePreferences()
  const says = {
    good: t('signatureGood'),
    bad: t('signatureBad'),
    none: t('signatureNone'),
    unknown: t('signatureUnknown'),
  }
  const block = (title: string, text: string) => (
    <>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users scroll the section */}
      <section className="scroll" aria-label={title} tabIndex={0}>
        <pre className="mono pre">{text}</pre>
      </section>
    </>
  )
  return (
    <div>
      <Alert type={sent.signature === 'good' ? 'success' : 'warning'} showIcon title={says[sent.signature]} />
      {block(t('answer'), sent.answer)}
      {block(t('signedText'), sent.signedText)}
      {block('curl', sent.curl)}
    </div>
  )
}
