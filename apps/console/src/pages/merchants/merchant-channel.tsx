/** A merchant's account with one upstream. Secrets can be set and are never shown; empty fields keep their values. */
import type { ChannelAccountRow, ChannelTest } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { Alert, App, Button, Form, Input } from 'antd'
import { call } from '../../api.ts'
import { when } from '../../format.ts'
import { useSays } from '../../parts.tsx'
import { type Preferences, usePreferences } from '../../preferences.tsx'
import { useChange } from './use-change.ts'

export function ChannelAccount(props: { account: ChannelAccountRow; path: string; mayWrite: boolean }) {
  const { t, word, language } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const { account, path, mayWrite } = props
  const change = useChange(path)
  const to = `/channels/${account.channel}`
  const test = useMutation({
    mutationFn: () => call<ChannelTest>('POST', `${path}${to}/test`, {}),
    onError: (error) => void message.error(says(error)),
  })
  const save = (settings: Record<string, string>): void =>
    change.mutate({ method: 'PUT', to, body: { settings } }, { onSuccess: () => void message.success(t('saved')) })
  return (
    <section className="panel">
      <h2>{word(account.channel)}</h2>
      <p className="note">
        {account.is_configured ? `${t('changedAt')} ${when(account.changed_at)}` : t('notConfigured')}
      </p>
      {account.complaint !== null && (
        <Alert
          type="error"
          showIcon
          title={`${t('refusedByUpstream')} ${account.complaint} (${when(account.complained_at)})`}
          style={{ marginBottom: 12 }}
        />
      )}
      {account.certificates.map(({ setting, valid_until, ends_soon }) => (
        <Alert
          key={setting}
          type={ends_soon ? 'error' : 'info'}
          showIcon={ends_soon}
          title={`${setting}: ${t(ends_soon ? 'certificateEndsSoon' : 'certificateUntil')} ${when(valid_until)}`}
          style={{ marginBottom: 12 }}
        />
      ))}
      {test.data !== undefined && (
        <Alert
          type={test.data.is_fine ? 'success' : 'error'}
          showIcon
          title={`${test.data.message[language]} (${test.data.ms} ms)`}
          style={{ marginBottom: 12 }}
        />
      )}
      <Form
        layout="vertical"
        requiredMark={false}
        disabled={!mayWrite}
        initialValues={Object.fromEntries(account.settings.map(({ name, value }) => [name, value ?? '']))}
        onFinish={save}
      >
        {account.settings.map((one) => (
          <Form.Item key={one.name} name={one.name} label={one.label[language]}>
            {inputOf(one, t)}
          </Form.Item>
        ))}
        {mayWrite && (
          <div className="buttons">
            <Button htmlType="submit" loading={change.isPending}>
              {t('save')}
            </Button>
            {account.is_configured && (
              <Button onClick={() => test.mutate()} loading={test.isPending}>
                {t('testConnection')}
              </Button>
            )}
          </div>
        )}
      </Form>
    </section>
  )
}

/** The input of one setting; `t` is the user's language. A stored secret shows only that it is set. */
function inputOf({ is_secret, is_set }: ChannelAccountRow['settings'][number], t: Preferences['t']) {
  if (!is_secret) return <Input />
  return (
    <Input.Password autoComplete="off" visibilityToggle={false} placeholder={is_set ? t('isSet') : t('isNotSet')} />
  )
}
