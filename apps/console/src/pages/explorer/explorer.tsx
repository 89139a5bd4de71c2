/** Tries every call of the transactions API: signs it in the browser, sends it, and verifies the answer's signature. */
import type { SandboxDemo } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Select, Spin } from 'antd'
import { useState } from 'react'
import { call, session } from '../../api.ts'
import { Title, Trouble, useSuggested } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { type Keys, type Sent, sendSigned } from './explorer-sign.ts'

type Schema = { maxLength?: number; pattern?: string; description?: string }
type Operation = {
  summary: string
  parameters: { name: string; in: string; required: boolean; schema: Schema }[]
  requestBody?: {
    content: { 'application/json': { schema: { required: string[]; properties: Record<string, Schema> } } }
  }
}
/** `servers` is set for paths at another address than the signed calls. */
type Path = { get?: Operation; post?: Operation; servers?: object[] }
type OpenApi = { servers: { url: string }[]; paths: Record<string, Path> }

const EXAMPLES: Record<string, () => string> = {
  mch_trade_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  mch_refund_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  amount_total: () => '12.50',
  amount_currency: () => 'CNY',
  refund_amount: () => '12.50',
}

/** One call of the API that this page can try. */
type Call = { key: string; method: 'get' | 'post'; path: string; operation: Operation }

function callsOf({ paths }: OpenApi): Call[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = methods[method]
      // The calls of the payer's page are not signed, so this page has nothing to show for them.
      if (operation === undefined || methods.servers !== undefined) return []
      return [{ key: `${method} ${path}`, method, path, operation }]
    }),
  )
}

/** `post /trade` as `POST /trade`, behind what it does. */
const labelOf = ({ operation, method, path }: Call): string => `${operation.summary} · ${method.toUpperCase()} ${path}`

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
  const calls = callsOf(document.data)
  const one = calls.find(({ key }) => key === chosen) ?? calls[0]
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
        options={calls.map((option) => ({ value: option.key, label: labelOf(option) }))}
      />
      {window.isSecureContext ? (
        <TryOut
          key={one.key}
          tried={one}
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

/** Numbers in one call's answer that the next call's form starts with. */
const KEPT = ['transaction_no', 'mch_trade_no', 'refund_no', 'mch_refund_no']
/** Numbers that are new for each form, so that a second order gets a number of its own. */
const FRESH: Record<string, string[]> = {
  'post /trade': ['mch_trade_no'],
  'post /refund': ['mch_refund_no', 'mch_trade_no'],
}

type Field = { name: string; required: boolean; schema: Schema }

function fieldsOf({ requestBody, parameters }: Operation): Field[] {
  const schema = requestBody?.content['application/json'].schema
  if (schema === undefined) return parameters.filter((one) => one.in === 'query')
  return Object.entries(schema.properties).map(([name, rule]) => ({
    name,
    required: schema.required.includes(name),
    schema: rule,
  }))
}

/** What the form starts with: a number from an earlier call, or an example where the call needs one. */
function initialOf({ key }: Call, fields: Field[], known: Record<string, string>): Record<string, string | undefined> {
  const fresh = FRESH[key] ?? []
  const initial = ({ name, required }: Field): string | undefined => {
    const example = required ? EXAMPLES[name]?.() : undefined
    return fresh.includes(name) && required ? example : known[name] || example
  }
  return Object.fromEntries(fields.map((field) => [field.name, initial(field)]))
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
  const fields = fieldsOf(tried.operation)
  const send = useMutation({
    mutationFn: ({ mch_no, private_key, platform_public_key, ...params }: Record<string, string>) =>
      sendSigned(`${base}${tried.path}`, tried.method, given(params), {
        mch_no,
        private_key,
        platform_public_key,
      } as Keys),
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
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      className="below"
      initialValues={{ ...keys, ...initialOf(tried, fields, known) }}
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
  const { t } = usePreferences()
  return (
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
