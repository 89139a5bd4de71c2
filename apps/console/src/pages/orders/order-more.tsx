/** Parts that are loaded when the user opens them: the tries of a notification, and the evidence of a close. */
import type { NotificationRow, OrderDetail, Page, Evidence as Proof, TryRow } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Spin } from 'antd'
import { useState } from 'react'
import { call } from '../../api.ts'
import { when, whenExactly } from '../../format.ts'
import { Mono, Pair, Rows, State, Trouble } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

export function Notifications({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  const [open, setOpen] = useState<NotificationRow | null>(null)
  return (
    <>
      <Rows
        label={t('notifications')}
        rows={order.notifications}
        keyOf={(one) => String(one.seq)}
        columns={[
          { text: 'kind', show: (one) => word(one.kind) },
          { text: 'state', show: (one) => <State of={one.state} /> },
          { text: 'url', show: (one) => one.url, isText: true },
          { text: 'lastAnswer', show: (one) => one.failure ?? one.http_status ?? '—', isText: true },
          { text: 'nextAt', show: (one) => when(one.next_at) },
          {
            text: 'tries',
            show: (one) => (
              <Button
                size="small"
                onClick={() => setOpen(one)}
                aria-label={`${t('tries')} ${one.tries} · ${word(one.kind)} ${one.seq}`}
              >
                {one.tries}
              </Button>
            ),
          },
        ]}
      />
      {open !== null && <Tries of={open} onClose={() => setOpen(null)} />}
    </>
  )
}

export function Tries({ of, onClose }: { of: NotificationRow; onClose: () => void }) {
  const { t } = usePreferences()
  const path = `notifications/${of.mch_no}/${of.transaction_no}/${of.seq}/tries`
  const { data, error } = useQuery({ queryKey: [path], queryFn: () => call<Page<TryRow>>('GET', path) })
  return (
    <Drawer open onClose={onClose} title={t('tries')} size={560}>
      {error !== null && <Trouble error={error} />}
      {data === undefined && error === null && <Spin />}
      {data !== undefined && (
        <Rows
          label={t('tries')}
          rows={data.rows}
          keyOf={(one) => one.at}
          columns={[
            { text: 'at', show: (one) => whenExactly(one.at) },
            { text: 'ms', show: (one) => one.ms },
            { text: 'lastAnswer', show: (one) => one.http_status ?? '—' },
            { text: 'reason', show: (one) => one.failure ?? one.reply ?? '', isText: true },
          ]}
        />
      )}
    </Drawer>
  )
}

export function Evidence({ path, onClose }: { path: string; onClose: () => void }) {
  const { t, word } = usePreferences()
  const { data, error } = useQuery({
    queryKey: [path, 'evidence'],
    queryFn: () => call<Proof>('GET', `${path}/evidence`),
  })
  return (
    <Drawer open onClose={onClose} title={t('evidence')} size={560}>
      {error !== null && <Trouble error={error} />}
      {data !== undefined && (
        <dl className="pairs">
          {Object.entries(data).map(([name, value]) => (
            <Pair key={name} text={word(name)}>
              <Mono>{String(value ?? '—')}</Mono>
            </Pair>
          ))}
        </dl>
      )}
    </Drawer>
  )
}
