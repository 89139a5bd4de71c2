/** The sandbox: one click for what a payer, an upstream or a network does, and every race can be seen to happen. */
import type { SandboxDeed, SandboxDone, SandboxOrder, SandboxOrderAsk } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { App, Button, Form, Input, Select } from 'antd'
import { call } from '../api.ts'
import { Title, useSays, useSuggested } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { Faults } from './sandbox-faults.tsx'
import { TestOrder } from './sandbox-order.tsx'

const SCENARIOS = ['late_payment', 'two_codes_paid', 'lost_close_answer', 'paid_while_closing'] as const

export function Sandbox() {
  const { t, word, language } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const navigate = useNavigate()
  const chosen = useSearch({ strict: false }) as Partial<SandboxOrder>
  const show = (order: SandboxOrder) => navigate({ to: '.', search: order as never })
  const onError = (error: unknown): void => void message.error(says(error))
  const place = useMutation({
    mutationFn: (asked: SandboxOrderAsk) => call<SandboxOrder>('POST', 'sandbox/orders', asked),
    onSuccess: show,
    onError,
  })
  const play = useMutation({
    mutationFn: async (scenario: (typeof SCENARIOS)[number]) => {
      const asked = { amount: '1.00', description: word(scenario), notify: 'ok' } as const
      const order = await call<SandboxOrder>('POST', 'sandbox/orders', asked)
      const deed: SandboxDeed = { deed: 'scenario', scenario }
      const path = `sandbox/orders/${order.mch_no}/${order.transaction_no}/deeds`
      return { order, done: await call<SandboxDone>('POST', path, deed) }
    },
    onSuccess: ({ order, done }) => {
      void message.info(done.told[language])
      return show(order)
    },
    onError,
  })
  const [form] = Form.useForm<SandboxOrderAsk>()
  useSuggested(form, { description: t('testOrder') })
  const { mch_no, transaction_no } = chosen
  return (
    <>
      <Title>{t('sandbox')}</Title>
      <p className="note">{t('sandboxSays')}</p>
      <div className="columns">
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
        <section className="panel">
          <h2>{t('testOrder')}</h2>
          <Form
            layout="vertical"
            requiredMark={false}
            form={form}
            initialValues={{ amount: '12.50', notify: 'ok' }}
            onFinish={(values: SandboxOrderAsk) => place.mutate(values)}
          >
            <Form.Item
              name="amount"
              label={t('amount')}
              rules={[{ required: true, pattern: /^\d{1,6}\.\d{2}$/, message: t('amountRule') }]}
            >
              <Input inputMode="decimal" />
            </Form.Item>
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
        <Faults />
      </div>
      {mch_no !== undefined && transaction_no !== undefined && (
        <TestOrder key={transaction_no} mch_no={mch_no} transaction_no={transaction_no} />
      )}
    </>
  )
}
