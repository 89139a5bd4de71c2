/** The user's passkeys: each with its name and when it was last used. */
import type { PasskeyAdded, PasskeyList, PasskeyOptions, PasskeyRow, Session } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, App, Button, Form, Input } from 'antd'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { Rows, Trouble, useSays } from '../../parts.tsx'
import { createPasskey } from '../../passkey.ts'
import { usePreferences } from '../../preferences.tsx'
import { RecoveryCodesOnce } from './recovery-codes.tsx'

const KEY = ['passkeys']

export function OwnPasskeys({ who }: { who: Session }) {
  const { t } = usePreferences()
  const { data, error, refetch } = useQuery({ queryKey: KEY, queryFn: () => call<PasskeyList>('GET', 'passkeys') })
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  return (
    <>
      <h2>{t('passkeys')}</h2>
      <p className="note">{t('passkeysSay')}</p>
      {data !== undefined && (
        <Rows<PasskeyRow>
          label={t('passkeys')}
          rows={data.rows}
          keyOf={({ id }) => id}
          columns={[
            { text: 'passkeyName', show: (row) => row.name, isText: true },
            { text: 'passkeyMadeAt', show: (row) => when(row.created_at) },
            { text: 'seenAt', show: (row) => when(row.used_at) },
            { text: 'action', show: (row) => <Remove of={row} /> },
          ]}
        />
      )}
      <AddPasskey who={who} />
    </>
  )
}

export function AddPasskey({ who }: { who: Session }) {
  const { t } = usePreferences()
  const says = useSays()
  const [form] = Form.useForm<{ name: string }>()
  const add = useMutation({
    mutationFn: async ({ name }: { name: string }) => {
      const options = await call<PasskeyOptions>('POST', 'passkey-challenge', {})
      return call<PasskeyAdded>('POST', 'passkeys', { name, passkey: await createPasskey(options) })
    },
    onSuccess: ({ recovery_codes }) => {
      form.resetFields()
      void queries.invalidateQueries({ queryKey: KEY })
      // With codes to keep, the page goes on when they are kept.
      if (recovery_codes === null) void queries.invalidateQueries(session)
    },
  })
  if (!who.may_use_passkeys) return <p className="note">{t('passkeysWhere')}</p>
  const codes = add.data?.recovery_codes
  // Once the session says that there is a passkey, the codes were kept.
  if (codes && who.passkeys === 0) return <RecoveryCodesOnce codes={codes} text={t('passkeyCodes')} />
  return (
    <Form
      name="passkey"
      form={form}
      layout="vertical"
      requiredMark={false}
      onFinish={(values: { name: string }) => add.mutate(values)}
    >
      {add.error !== null && <Alert type="error" showIcon title={says(add.error)} style={{ marginBottom: 12 }} />}
      <Form.Item
        name="name"
        label={t('passkeyName')}
        rules={[{ required: true, whitespace: true, message: t('needed') }]}
      >
        <Input autoComplete="off" maxLength={64} placeholder={t('passkeyNameSay')} style={{ maxWidth: 320 }} />
      </Form.Item>
      <Button htmlType="submit" loading={add.isPending}>
        {t('addPasskey')}
      </Button>
    </Form>
  )
}

function Remove({ of: { id, name } }: { of: PasskeyRow }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const remove = useMutation({
    mutationFn: () => call('DELETE', `passkeys/${id}`),
    // Also after a failure: it may have been removed elsewhere.
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: KEY }), queries.invalidateQueries(session)]),
    onError: (error) => void message.error(says(error)),
  })
  const ask = () =>
    void modal.confirm({
      title: `${t('removePasskey')}: ${name}`,
      content: t('removePasskeyAsk'),
      okText: t('removePasskey'),
      onOk: () => remove.mutateAsync().catch(() => {}),
    })
  return (
    <Button size="small" onClick={ask}>
      {t('removePasskey')}
    </Button>
  )
}
