/** Signing in, and choosing a password of one's own at the first sign-in. */
import type { PasswordAsk, Session, SignInAsk } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useState } from 'react'
import { began, call, queries, session } from '../../api.ts'
import { ApiError } from '../../api-error.ts'
import { Title, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

export function SignIn() {
  const { t } = usePreferences()
  const says = useSays()
  const [needsCode, setNeedsCode] = useState(false)
  const signIn = useMutation({
    mutationFn: (asked: SignInAsk) => call<Session>('POST', 'session', asked),
    onSuccess: began,
    onError: (error) => {
      if (error instanceof ApiError && error.failure?.error === 'TOTP_REQUIRED') setNeedsCode(true)
    },
  })
  return (
    <>
      <Title>{t('signIn')}</Title>
      {signIn.error !== null && <Alert type="error" showIcon title={says(signIn.error)} style={{ marginBottom: 16 }} />}
      <Form layout="vertical" requiredMark={false} onFinish={(values: SignInAsk) => signIn.mutate(values)}>
        <Form.Item name="username" label={t('username')} rules={[{ required: true, message: t('needed') }]}>
          <Input autoComplete="username" autoCapitalize="none" autoFocus />
        </Form.Item>
        <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('needed') }]}>
          <Input.Password autoComplete="current-password" visibilityToggle={false} />
        </Form.Item>
        {needsCode && (
          <Form.Item name="totp" label={t('code')} rules={[{ required: true, message: t('needed') }]}>
            <Input autoComplete="one-time-code" maxLength={20} placeholder={t('codeOrRecovery')} />
          </Form.Item>
        )}
        <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
          {t('signIn')}
        </Button>
      </Form>
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
