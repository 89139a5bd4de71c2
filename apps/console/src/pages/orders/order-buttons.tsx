/** The operations that the order's table and the user's role allow. Each asks first, and says what will happen. */
import type { Closed, OrderDetail, RefundAsk, RefundMade } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { AmountField } from '../../amount-field.tsx'
import { call, queries } from '../../api.ts'
import { yuan } from '../../format.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { refundAsked, refundNoFor } from './refund-numbers.ts'

export function OrderButtons({ order, path }: { order: OrderDetail; path: string }) {
  const { t, word } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const [isRefunding, setRefunding] = useState(false)
  const refresh = () => queries.invalidateQueries({ queryKey: [path] })
  const close = useMutation({
    mutationFn: () => call<Closed>('POST', `${path}/close`, {}),
    onSuccess: ({ outcome }) => void message.info(word(`close_${outcome}`)),
    onError: (error) => void message.error(says(error)),
    onSettled: refresh,
  })
  const resend = useMutation({
    mutationFn: () => {
      const { mch_no, transaction_no } = order
      return call<{ resent: number }>('POST', 'notifications/resend', { mch_no, transaction_no })
    },
    onSuccess: ({ resent }) => void message.info(`${t('resent')} ${resent}`),
    onError: (error) => void message.error(says(error)),
    onSettled: refresh,
  })
  const ask = (title: string, content: string, onOk: () => Promise<unknown>): void => {
    // A message reports the failure; the dialog closes in any case.
    void modal.confirm({ title, content, okText: title, onOk: () => onOk().catch(() => {}) })
  }
  if (order.allowed.length === 0) return null
  return (
    <div className="buttons">
      {order.allowed.includes('close') && (
        <Button
          type="primary"
          loading={close.isPending}
          onClick={() =>
            ask(
              order.state === 'CLOSING' ? t('closeAgain') : t('close'),
              order.state === 'CLOSING' ? t('closeAgainAsk') : t('closeAsk'),
              () => close.mutateAsync(),
            )
          }
        >
          {order.state === 'CLOSING' ? t('closeAgain') : t('close')}
        </Button>
      )}
      {order.allowed.includes('refund') && <Button onClick={() => setRefunding(true)}>{t('refund')}</Button>}
      {order.allowed.includes('resend') && (
        <Button loading={resend.isPending} onClick={() => ask(t('resend'), t('resendAsk'), () => resend.mutateAsync())}>
          {t('resend')}
        </Button>
      )}
      {isRefunding && <Refund order={order} path={path} onClose={() => setRefunding(false)} />}
    </div>
  )
}

function Refund({ order, path, onClose }: { order: OrderDetail; path: string; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const mch_refund_no = refundNoFor(path)
  const [form] = Form.useForm<Pick<RefundAsk, 'amount' | 'reason'>>()
  const refund = useMutation({
    mutationFn: (asked: RefundAsk) => call<RefundMade>('POST', `${path}/refunds`, asked),
    onSuccess: ({ state }) => {
      if (state === 'WAITING') void message.info(t('refundWaits'))
      onClose()
    },
    onError: (error) => void message.error(says(error)),
    onSettled: (_made, error) => {
      refundAsked(path, error)
      return queries.invalidateQueries({ queryKey: [path] })
    },
  })
  return (
    <Modal
      open
      title={t('refund')}
      okText={t('refund')}
      confirmLoading={refund.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <p>
        {t('refundAsk')} {yuan(order.refundable)}
      </p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ amount: order.refundable }}
        onFinish={(values) => refund.mutate({ ...values, mch_refund_no })}
      >
        <AmountField />
        <Form.Item name="reason" label={t('reason')} rules={[{ required: true, max: 32, message: t('needed') }]}>
          <Input maxLength={32} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
