/** The sandbox's clock: what time it is there, and moving it on. */
import type { SandboxTime } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Form, Input } from 'antd'
import { call, queries } from '../../api.ts'
import { when } from '../../format.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

const PATH = 'sandbox/time'
const LIVE_MS = 1000

export function Time() {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const { data } = useQuery({
    queryKey: [PATH],
    queryFn: () => call<SandboxTime>('GET', PATH),
    refetchInterval: LIVE_MS,
  })
  const move = useMutation({
    mutationFn: (to: string) => call<SandboxTime>('POST', PATH, { to }),
    onSuccess: ({ time }) => void message.info(`${t('timeMoved')} ${when(time)}`),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries(),
  })
  const button = (to: string, text: string) => (
    <Button onClick={() => move.mutate(to)} disabled={move.isPending} loading={move.isPending && move.variables === to}>
      {text}
    </Button>
  )
  return (
    <section className="panel" aria-label={t('time')}>
      <h2>{t('time')}</h2>
      <p className="note">{t('timeSays')}</p>
      <p>{data === undefined ? '—' : when(data.time)}</p>
      <div className="buttons">
        {button('+1h', t('hourOn'))}
        {button('+1d', t('dayOn'))}
        {button('tomorrow', t('tomorrow'))}
      </div>
      <Form
        layout="inline"
        requiredMark={false}
        onFinish={({ to }: { to: string }) => move.mutate(to)}
        style={{ rowGap: 8 }}
      >
        <Form.Item name="to" label={t('timeTo')} rules={[{ required: true, max: 32, message: t('needed') }]}>
          <Input placeholder="+2h30m" style={{ width: 170 }} />
        </Form.Item>
        <Button htmlType="submit" disabled={move.isPending}>
          {t('moveTime')}
        </Button>
      </Form>
    </section>
  )
}
