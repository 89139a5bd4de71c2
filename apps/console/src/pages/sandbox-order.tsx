/** A test order: its codes, what can be done to each, and the story as the gateway, the upstream and the shop tell it. */
import type { OrderDetail, SandboxDeed, SandboxDone, SandboxOrder, SandboxView } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Spin } from 'antd'
import { call, queries } from '../api.ts'
import { whenExactly, yuan } from '../format.ts'
import { Mono, Rows, State, Trouble, useSays } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { OrderLink } from './orders.tsx'
import { StatePicture } from './state-picture.tsx'

const LIVE_MS = 1000
const ON_A_CODE = ['scan', 'pay', 'pay_anyway', 'expire', 'close_and_pay'] as const

export function TestOrder(key: SandboxOrder) {
  const { t, word, language } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const orderPath = `orders/${key.mch_no}/${key.transaction_no}`
  const deedsPath = `sandbox/${orderPath}/deeds`
  const order = useQuery({
    queryKey: [orderPath],
    queryFn: () => call<OrderDetail>('GET', orderPath),
    refetchInterval: LIVE_MS,
  })
  const view = useQuery({
    queryKey: [deedsPath],
    queryFn: () => call<SandboxView>('GET', deedsPath),
    refetchInterval: LIVE_MS,
  })
  const act = useMutation({
    mutationFn: (deed: SandboxDeed) => call<SandboxDone>('POST', deedsPath, deed),
    onSuccess: ({ told }) => void message.info(told[language]),
    onError: (error) => void message.error(says(error)),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: [orderPath] }),
        queries.invalidateQueries({ queryKey: [deedsPath] }),
      ]),
  })
  if (order.error !== null) return <Trouble error={order.error} />
  if (order.data === undefined || view.data === undefined) return <Spin />
  const { data } = order
  const button = (text: string, deed: SandboxDeed) => (
    <Button key={text} size="small" disabled={act.isPending} onClick={() => act.mutate(deed)}>
      {text}
    </Button>
  )
  return (
    <section aria-label={t('testOrder')}>
      <h2>
        <State of={data.state} /> {yuan(data.amount_total)} <OrderLink {...data} />
      </h2>
      <div className="buttons">
        {button(`${t('openCode')} ${word('wechat')}`, { deed: 'open', channel: 'wechat', method: 'native' })}
        {button(`${t('openCode')} ${word('alipay')}`, { deed: 'open', channel: 'alipay', method: 'native' })}
        {button(t('close'), { deed: 'close' })}
        {button(t('closeTwice'), { deed: 'close_twice' })}
        {button(t('refundAll'), { deed: 'refund', amount: data.amount_total })}
        <a href={view.data.cashier_url} target="_blank" rel="noreferrer">
          {t('openCashier')}
        </a>
      </div>
      <StatePicture order={data} />
      <h2>{t('codes')}</h2>
      <Rows
        label={t('codes')}
        rows={view.data.upstream}
        keyOf={(one) => one.attempt_no}
        columns={[
          { text: 'attemptNo', show: (one) => <Mono>{one.attempt_no}</Mono> },
          { text: 'channel', show: (one) => word(one.channel) },
          { text: 'upstreamSays', show: (one) => <State of={`upstream_${one.state}`} /> },
          { text: 'taken', show: (one) => yuan(one.taken) },
          { text: 'returned', show: (one) => yuan(one.returned) },
          {
            text: 'deeds',
            show: ({ attempt_no }) => (
              <div className="buttons">
                {ON_A_CODE.map((deed) => button(word(`deed_${deed}`), { deed, attempt_no }))}
              </div>
            ),
          },
        ]}
      />
      <h2>{t('reversals')}</h2>
      <Rows
        label={t('reversals')}
        rows={data.reversals}
        keyOf={(one) => one.refund_no}
        columns={[
          { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
        ]}
      />
      <h2>{t('shopHeard')}</h2>
      <Rows
        label={t('shopHeard')}
        rows={view.data.heard}
        keyOf={(one) => one.at + one.kind}
        columns={[
          { text: 'createdAt', show: (one) => whenExactly(one.at) },
          { text: 'kind', show: (one) => word(one.kind) },
          { text: 'outcome', show: (one) => <State of={one.code} /> },
          { text: 'lastAnswer', show: (one) => one.answered, isText: true },
        ]}
      />
    </section>
  )
}
