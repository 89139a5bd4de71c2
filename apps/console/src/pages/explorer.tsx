/** Every call of the transactions API, tried out: signed here in the browser, sent, and the answer's signature checked. */
import type { SandboxDemo } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Select, Spin } from 'antd'
import { useState } from 'react'
import { call, session } from '../api.ts'
import { Title, Trouble, useSuggested } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { type Keys, type Sent, sendSigned } from './explorer-sign.ts'

type Schema = { maxLength?: number; pattern?: string; description?: string }
type Operation = {
  summary: string
  parameters: { name: string; in: string; required: boolean; schema: Schema }[]
  requestBody?: {
    content: { 'application/json': { schema: { required: string[]; properties: Record<string, Schema> } } }
  }
}
/** `servers`: of a path that is not reached where the signed calls are. */
type Path = { get?: Operation; post?: Operation; servers?: object[] }
type OpenApi = { servers: { url: string }[]; paths: Record<string, Path> }

const EXAMPLES: Record<string, () => string> = {
  mch_trade_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  mch_refund_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  amount_total: () => '12.50',
  amount_currency: () => 'CNY',
  refund_amount: () => '12.50',
}

export function Explorer() {
  const { t } = usePreferences()
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
  const [chosen, setChosen] = useState('post /trade')
  const [numbers, setNumbers] = useState<Record<string, string>>({})
  if (document.error !== null) return <Trouble error={document.error} />
  if (document.data === undefined || (demo.isPending && demo.fetchStatus !== 'idle')) return <Spin />
  const { paths } = document.data
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = methods[method]
      // The payer's page asks unsigned: there is nothing to sign here.
      return operation === undefined || methods.servers !== undefined
        ? []
        : [{ key: `${method} ${path}`, method, path, operation }]
    }),
  )
  const one = operations.find(({ key }) => key === chosen) ?? operations[0]
  if (one === undefined) return null
  return (
    <>
      <Title>{t('explorer')}</Title>
      <p className="note">
        {t('explorerSays')} <a href="/openapi.json">openapi.json</a>
      </p>
      <Select
        aria-label={t('operation')}
        value={one.key}
        onChange={setChosen}
        className="wide-select"
        options={operations.map(({ key, operation }) => ({
          value: key,
          label: `${operation.summary} · ${key.toUpperCase().replace(/ .*/, '')} ${key.split(' ')[1]}`,
        }))}
      />
      {window.isSecureContext ? (
        <TryOut
          key={one.key}
          method={one.method}
          path={one.path}
          operation={one.operation}
          base={document.data.servers[0]?.url ?? ''}
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

/** Numbers that one call answers are filled in at the next. */
const KEPT = ['transaction_no', 'mch_trade_no', 'refund_no', 'mch_refund_no']
/** New each time, so that pressing twice is two orders. */
const FRESH: Record<string, string[]> = {
  'post /trade': ['mch_trade_no'],
  'post /refund': ['mch_refund_no', 'mch_trade_no'],
}

function TryOut(props: {
  method: 'get' | 'post'
  path: string
  operation: Operation
  base: string
  keys: SandboxDemo | null
  known: Record<string, string>
  onNumbers: (found: Record<string, string>) => void
}) {
  const { t } = usePreferences()
  const { method, path, operation, base, keys, known } = props
  const schema = operation.requestBody?.content['application/json'].schema
  const fields =
    schema === undefined
      ? operation.parameters.filter((one) => one.in === 'query')
      : Object.entries(schema.properties).map(([name, rule]) => ({
          name,
          required: schema.required.includes(name),
          schema: rule,
        }))
  const send = useMutation({
    mutationFn: ({ mch_no, private_key, platform_public_key, ...params }: Record<string, string>) =>
      sendSigned(`${base}${path}`, method, given(params), { mch_no, private_key, platform_public_key } as Keys),
    onSuccess: ({ data }) => {
      const found = Object.entries(data ?? {}).filter(
        ([name, value]) => KEPT.includes(name) && typeof value === 'string',
      )
      props.onNumbers(Object.fromEntries(found) as Record<string, string>)
    },
  })
  const [form] = Form.useForm<Record<string, string>>()
  const suggested = { description: t('testOrder'), refund_reason: t('testRefund') }
  const needed = new Set(fields.flatMap(({ name, required }) => (required ? [name] : [])))
  useSuggested(form, Object.fromEntries(Object.entries(suggested).filter(([name]) => needed.has(name))))
  const fresh = FRESH[`${method} ${path}`] ?? []
  const initial = Object.fromEntries(
    fields.map(({ name, required }) => [
      name,
      fresh.includes(name) && required
        ? EXAMPLES[name]?.()
        : known[name] || (required ? EXAMPLES[name]?.() : undefined),
    ]),
  )
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      className="below"
      initialValues={{ ...keys, ...initial }}
      onFinish={(values) => send.mutate(values)}
    >
      <div className="columns">
        <section className="panel">
          <h2>{t('parameters')}</h2>
          {fields.map(({ name, required, schema: rule }) => (
            <Form.Item
              key={name}
              name={name}
              label={required ? name : `${name} (${t('optional')})`}
              extra={rule.description}
              rules={[{ required, message: t('needed') }]}
            >
              <Input maxLength={rule.maxLength} />
            </Form.Item>
          ))}
        </section>
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

const given = (params: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''),
  )

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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever uses the keyboard scrolls it */}
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
