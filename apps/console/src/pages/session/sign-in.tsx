/** Signing in, and choosing a password of one's own at the first sign-in. */
import type { PasswordAsk, SecondFactor, Session, SignInAsk } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useState } from 'react'
import { began, call, queries, session, stillAtProvider } from '../../api.ts'
import { ApiError } from '../../api-error.ts'
import { Title, useSays } from '../../parts.tsx'
import { signWithPasskey } from '../../passkey.ts'
import { usePreferences } from '../../preferences.tsx'
import { ProviderButton, ProviderSaid, SecondAfterProvider, useProviderWord } from './by-provider.tsx'
import { SecondStep } from './second-step.tsx'

export function SignIn() {
  const word = useProviderWord()
  return word === 'second' ? <SecondAfterProvider /> : <SignInByPassword />
}

/** The password first; then, where the user has one, the second factor. */
function SignInByPassword() {
  const { t } = usePreferences()
  const says = useSays()
  const [form] = Form.useForm<SignInAsk>()
  const [second, setSecond] = useState<SecondFactor | null>(null)
  const signIn = useMutation({
    mutationFn: async ({ asked, isByPasskey }: { asked: SignInAsk; isByPasskey: boolean }) => {
      const options = isByPasskey ? (second?.passkey ?? null) : null
      const passkey = options === null ? {} : { passkey: await signWithPasskey(options) }
      return call<Session>('POST', 'session', { ...asked, ...passkey })
    },
    onSuccess: began,
    onError: (error, { isByPasskey }) => {
      if (!(error instanceof ApiError)) return
      const { second_factor } = error.failure ?? {}
      if (second_factor !== undefined) setSecond(second_factor)
      // What the browser signed is used up: the password leads to a new question.
      else if (isByPasskey) setSecond(null)
    },
  })
  const byPasskey = async (): Promise<void> => {
    const asked = await form.validateFields(['username', 'password']).catch(() => null)
    if (asked !== null) signIn.mutate({ asked, isByPasskey: true })
  }
  return (
    <>
      <Title>{t('signIn')}</Title>
      <ProviderSaid word={useProviderWord()} />
      <ProviderStays />
      {signIn.error !== null && <Alert type="error" showIcon title={says(signIn.error)} style={{ marginBottom: 16 }} />}
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(asked: SignInAsk) => signIn.mutate({ asked, isByPasskey: false })}
      >
        <NameAndPassword />
        {second !== null && <SecondStep of={second} isBusy={signIn.isPending} byPasskey={byPasskey} />}
        <Button type={second?.passkey ? 'default' : 'primary'} htmlType="submit" block loading={signIn.isPending}>
          {t('signIn')}
        </Button>
      </Form>
      <ProviderButton />
    </>
  )
}

/** The user has signed out here, and not yet of the provider. */
function ProviderStays() {
  const { t } = usePreferences()
  const { data } = useQuery(stillAtProvider)
  if (data == null) return null
  return <Alert type="info" showIcon title={<a href={data}>{t('signOutOfProvider')}</a>} style={{ marginBottom: 16 }} />
}

function NameAndPassword() {
  const { t } = usePreferences()
  const needed = [{ required: true, message: t('needed') }]
  return (
    <>
      <Form.Item name="username" label={t('username')} rules={needed}>
        <Input autoComplete="username" autoCapitalize="none" autoFocus />
      </Form.Item>
      <Form.Item name="password" label={t('password')} rules={needed}>
        <Input.Password autoComplete="current-password" visibilityToggle={false} />
      </Form.Item>
    </>
  )
}

export function ChangePassword({ isForced = false }: { isForced?: boolean }) {
  const { t } = usePreferences()
  const says = useSays()
  const [form] = Form.useForm<PasswordAsk>()
  const change = useMutation({
    mutationFn: (asked: PasswordAsk) => call<Session>('PUT', 'session/password', asked),
    // The change ends every session of this user and begins a new one here.
    onSuccess: (who) => {
      form.resetFields()
      queries.setQueryData(session.queryKey, who)
    },
  })
  return (
    <>
      {isForced ? <Title>{t('changePassword')}</Title> : <h2>{t('changePassword')}</h2>}
      {isForced && <p className="note">{t('mustChange')}</p>}
      {change.error !== null && <Alert type="error" showIcon title={says(change.error)} style={{ marginBottom: 16 }} />}
      {change.isSuccess && <Alert type="success" showIcon title={t('passwordChanged')} style={{ marginBottom: 16 }} />}
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(values: PasswordAsk) => change.mutate(values)}
      >
        <Form.Item name="password" label={t('oldPassword')} rules={[{ required: true, message: t('needed') }]}>
          <Input.Password autoComplete="current-password" visibilityToggle={false} />
        </Form.Item>
        <Form.Item
          name="new_password"
          label={t('newPassword')}
          rules={[{ required: true, min: 12, message: t('passwordRule') }]}
        >
          <Input.Password autoComplete="new-password" visibilityToggle={false} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={change.isPending}>
          {t('save')}
        </Button>
      </Form>
    </>
  )
}
