/** The sandbox: one click does what a payer, an upstream or the network does, so that a user can watch every race. */
import type { SandboxDone, SandboxOperation, SandboxOrder, SandboxOrderAsk } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { App, Button, Form, Input, Select } from 'antd'
import { AmountField } from '../../amount-field.tsx'
import { call } from '../../api.ts'
import { Title, useSays, useSuggested } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { Faults } from './sandbox-faults.tsx'
import { TestOrder } from './sandbox-order.tsx'
import { Time } from './sandbox-time.tsx'

const SCENARIOS = ['late_payment', 'two_codes_paid', 'lost_close_answer', 'paid_while_closing'] as const

export function Sandbox() {
  const { t } = usePreferences()
  const navigate = useNavigate()
  const { mch_no, transaction_no } = useSearch({ strict: false }) as Partial<SandboxOrder>
  const show = (order: SandboxOrder) => navigate({ to: '.', search: order as never })
  return (
    <>
      <Title>{t('sandbox')}</Title>
      <p className="note">{t('sandboxSays')}</p>
      <div className="columns">
        <Scenarios show={show} />
        <PlaceOrder show={show} />
        <Time />
        <Faults />
      </div>
      {mch_no !== undefined && transaction_no !== undefined && (
        <TestOrder key={transaction_no} mch_no={mch_no} transaction_no={transaction_no} />
      )}
    </>
  )
}

/** `show` opens the order on this page. */
type Props = { show: (order: SandboxOrder) => Promise<void> }

function useShowError(): (error: unknown) => void {
  const { message } = App.useApp()
  const says = useSays()
  return (error) => void message.error(says(error))
}

/** Each scenario places an order of its own and plays on it. */
function Scenarios({ show }: Props) {
  const { t, word, language } = usePreferences()
  const { message } = App.useApp()
  const onError = useShowError()
  const play = useMutation({
    mutationFn: async (scenario: (typeof SCENARIOS)[number]) => {
      const asked = { amount: '1.00', description: word(scenario), notify: 'ok' } as const
      const order = await call<SandboxOrder>('POST', 'sandbox/orders', asked)
      const operation: SandboxOperation = { operation: 'scenario', scenario }
      const path = `sandbox/orders/${order.mch_no}/${order.transaction_no}/operations`
      return { order, done: await call<SandboxDone>('POST', path, operation) }
    },
    onSuccess: ({ order, done }) => {
      void message.info(done.told[language])
      return show(order)
    },
    onError,
  })
  return (
    <section className="panel">
      <h2>{t('scenarios')}</h2>
      <div className="buttons">
        {SCENARIOS.map((scenario) => (
          <Button
            key={scenario}
            onClick={() => play.mutate(scenario)}
            loading={play.isPending && play.variables === scenario}
          >
            {word(scenario)}
          </Button>
        ))}
      </div>
    </section>
  )
}

function PlaceOrder({ show }: Props) {
  const { t, word } = usePreferences()
  const onError = useShowError()
  const place = useMutation({
    mutationFn: (asked: SandboxOrderAsk) => call<SandboxOrder>('POST', 'sandbox/orders', asked),
    onSuccess: show,
    onError,
  })
  const [form] = Form.useForm<SandboxOrderAsk>()
  useSuggested(form, { description: t('testOrder') })
  return (
    <section className="panel">
      <h2>{t('testOrder')}</h2>
      <Form
        layout="vertical"
        requiredMark={false}
        form={form}
        initialValues={{ amount: '12.50', notify: 'ok' }}
        onFinish={(values: SandboxOrderAsk) => place.mutate(values)}
      >
        <AmountField />
        <Form.Item
          name="description"
          label={t('description')}
          rules={[{ required: true, max: 127, message: t('needed') }]}
        >
          <Input />
        </Form.Item>
        <Form.Item name="notify" label={t('shopAnswers')}>
          <Select
            options={(['ok', 'slow', 'fail'] as const).map((value) => ({ value, label: word(`shop_${value}`) }))}
          />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={place.isPending}>
          {t('placeOrder')}
        </Button>
      </Form>
    </section>
  )
}
