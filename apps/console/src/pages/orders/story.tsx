/** What happened to an order in plain words, its mark where money was sent back, and its notes and tags. */
import { type OrderDetail, type OrderNotes, storyOf } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Checkbox, Form, Input, Select } from 'antd'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

/** Beside a state: a payment of this order was sent back. */
export function SentBackTag({ of }: { of: { sent_back: boolean } }) {
  const { t } = usePreferences()
  return of.sent_back ? <span className="state bad sign">{t('moneyWentBack')}</span> : null
}

export function Story({ order }: { order: OrderDetail }) {
  const { t, language } = usePreferences()
  return (
    <section aria-label={t('whatHappened')} className="story">
      {storyOf(order).map((one) => (
        <p key={one.en}>{one[language]}</p>
      ))}
    </section>
  )
}

export function Notes({ order, path }: { order: OrderDetail; path: string }) {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const mayWrite = who?.permissions.includes('orders.note') ?? false
  if (!mayWrite && order.notes.length === 0) return null
  return (
    <>
      <h2>{t('notes')}</h2>
      {mayWrite && <Tags key={order.tags.map(({ tag }) => tag).join(',')} order={order} path={path} />}
      <ul className="notes" aria-label={t('notes')}>
        {order.notes.map(({ at, username, note, for_merchant }) => (
          <li key={at + note}>
            <div>{note}</div>
            <span className="note">
              {username} {when(at)} {for_merchant && t('noteForMerchant')}
            </span>
          </li>
        ))}
      </ul>
      {mayWrite && <NewNote path={path} />}
    </>
  )
}

/** Saves the set of tags as it is after each change. */
function Tags({ order, path }: { order: OrderDetail; path: string }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const save = useMutation({
    mutationFn: (tags: string[]) => call<OrderNotes>('PUT', `${path}/tags`, { tags }),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [path] }),
  })
  return (
    <Select
      mode="tags"
      aria-label={t('tags')}
      placeholder={t('tags')}
      style={{ minWidth: 240, maxWidth: '100%' }}
      tokenSeparators={[',', '，']}
      open={false}
      suffixIcon={null}
      defaultValue={order.tags.map(({ tag }) => tag)}
      loading={save.isPending}
      onChange={(tags: string[]) => save.mutate(tags)}
    />
  )
}

type Written = { note: string; for_merchant?: boolean }

function NewNote({ path }: { path: string }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [form] = Form.useForm<Written>()
  const add = useMutation({
    mutationFn: (written: Written) => call<OrderNotes>('POST', `${path}/notes`, written),
    onSuccess: () => form.resetFields(),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [path] }),
  })
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      className="new-note"
      onFinish={(values) => add.mutate(values)}
    >
      <Form.Item name="note" label={t('newNote')} rules={[{ required: true, whitespace: true, message: t('needed') }]}>
        <Input.TextArea maxLength={500} showCount rows={3} />
      </Form.Item>
      <Form.Item name="for_merchant" valuePropName="checked">
        <Checkbox>{t('noteForMerchant')}</Checkbox>
      </Form.Item>
      <Button htmlType="submit" loading={add.isPending}>
        {t('addNote')}
      </Button>
    </Form>
  )
}
