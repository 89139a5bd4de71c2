/** A test order: its codes and what can be done to each, and what the gateway, the upstream and the shop know of it. */
import type { OrderDetail, SandboxDone, SandboxOperation, SandboxOrder, SandboxView } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Spin } from 'antd'
import { call, queries } from '../../api.ts'
import { whenExactly, yuan } from '../../format.ts'
import { Mono, Rows, State, Trouble, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderLink } from '../orders/orders.tsx'
import { StatePicture } from '../orders/state-picture.tsx'

const LIVE_MS = 1000
const ON_A_CODE = ['scan', 'pay', 'pay_anyway', 'give_back', 'expire', 'close_and_pay'] as const

export function TestOrder(key: SandboxOrder) {
  const { t } = usePreferences()
  const orderPath = `orders/${key.mch_no}/${key.transaction_no}`
  const operationsPath = `sandbox/${orderPath}/operations`
  const order = useQuery({
    queryKey: [orderPath],
    queryFn: () => call<OrderDetail>('GET', orderPath),
    refetchInterval: LIVE_MS,
  })
  const view = useQuery({
    queryKey: [operationsPath],
    queryFn: () => call<SandboxView>('GET', operationsPath),
    refetchInterval: LIVE_MS,
  })
  const act = useAct(orderPath, operationsPath)
  if (order.error !== null) return <Trouble error={order.error} />
  if (order.data === undefined || view.data === undefined) return <Spin />
  const { data } = order
  return (
    <section aria-label={t('testOrder')}>
      <h2>
        <State of={data.state} /> {yuan(data.amount_total)} <OrderLink {...data} />
      </h2>
      <OrderButtons order={data} view={view.data} act={act} />
      <StatePicture order={data} />
      <h2>{t('codes')}</h2>
      <Codes view={view.data} act={act} />
      <h2>{t('reversals')}</h2>
      <Reversals order={data} />
      <h2>{t('shopHeard')}</h2>
      <Heard view={view.data} />
    </section>
  )
}

/** Does something to the order, and reloads it and what the upstream and the shop know of it. */
function useAct(orderPath: string, operationsPath: string) {
  const { language } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  return useMutation({
    mutationFn: (operation: SandboxOperation) => call<SandboxDone>('POST', operationsPath, operation),
    onSuccess: ({ told }) => void message.info(told[language]),
    onError: (error) => void message.error(says(error)),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: [orderPath] }),
        queries.invalidateQueries({ queryKey: [operationsPath] }),
      ]),
  })
}

type Act = ReturnType<typeof useAct>

function Do({ text, operation, act }: { text: string; operation: SandboxOperation; act: Act }) {
  return (
    <Button size="small" disabled={act.isPending} onClick={() => act.mutate(operation)}>
      {text}
    </Button>
  )
}

function OrderButtons({ order, view, act }: { order: OrderDetail; view: SandboxView; act: Act }) {
  const { t, word } = usePreferences()
  const open = (channel: 'wechat' | 'alipay'): SandboxOperation => ({ operation: 'open', channel, method: 'native' })
  return (
    <div className="buttons">
      <Do text={`${t('openCode')} ${word('wechat')}`} operation={open('wechat')} act={act} />
      <Do text={`${t('openCode')} ${word('alipay')}`} operation={open('alipay')} act={act} />
      <Do text={t('close')} operation={{ operation: 'close' }} act={act} />
      <Do text={t('closeTwice')} operation={{ operation: 'close_twice' }} act={act} />
      <Do text={t('refundAll')} operation={{ operation: 'refund', amount: order.amount_total }} act={act} />
      <a href={view.cashier_url} target="_blank" rel="noreferrer">
        {t('openCashier')}
      </a>
    </div>
  )
}

function Codes({ view, act }: { view: SandboxView; act: Act }) {
  const { t, word } = usePreferences()
  return (
    <Rows
      label={t('codes')}
      rows={view.upstream}
      keyOf={(one) => one.attempt_no}
      columns={[
        { text: 'attemptNo', show: (one) => <Mono>{one.attempt_no}</Mono> },
        { text: 'channel', show: (one) => word(one.channel) },
        { text: 'upstreamSays', show: (one) => <State of={`upstream_${one.state}`} /> },
        { text: 'taken', show: (one) => yuan(one.taken) },
        { text: 'returned', show: (one) => yuan(one.returned) },
        {
          text: 'actions',
          show: ({ attempt_no }) => (
            <div className="buttons">
              {ON_A_CODE.map((operation) => (
                <Do
                  key={operation}
                  text={word(`operation_${operation}`)}
                  operation={{ operation, attempt_no }}
                  act={act}
                />
              ))}
            </div>
          ),
        },
      ]}
    />
  )
}

function Reversals({ order }: { order: OrderDetail }) {
  const { t } = usePreferences()
  return (
    <Rows
      label={t('reversals')}
      rows={order.reversals}
      keyOf={(one) => one.refund_no}
      columns={[
        { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
        { text: 'amount', show: (one) => yuan(one.amount) },
        { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
      ]}
    />
  )
}

/** The notifications that the test shop received, and its answers. */
function Heard({ view }: { view: SandboxView }) {
  const { t, word } = usePreferences()
  return (
    <Rows
      label={t('shopHeard')}
      rows={view.heard}
      keyOf={(one) => one.at + one.kind}
      columns={[
        { text: 'at', show: (one) => whenExactly(one.at) },
        { text: 'kind', show: (one) => word(one.kind) },
        { text: 'outcome', show: (one) => <State of={one.code} /> },
        { text: 'lastAnswer', show: (one) => one.answered, isText: true },
      ]}
    />
  )
}
