/** The page behind an invitation's link: who is invited chooses a password, and is signed in. */
import type { InvitationAccept, InvitationShown, Session } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Alert, Button, Form, Input, Spin } from 'antd'
import { useEffect, useState } from 'react'
import { began, call, session } from '../../api.ts'
import { when } from '../../format.ts'
import { Fact, Title, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

/** The secret of the link stands behind its `#`. It leaves the address at once, so that no history and no look over a shoulder keeps it. */
function useToken(): string {
  const [token] = useState(() => location.hash.slice(1))
  useEffect(() => {
    history.replaceState(history.state, '', location.pathname)
  }, [])
  return token
}

export function AcceptInvitation() {
  const { t } = usePreferences()
  const says = useSays()
  const token = useToken()
  const found = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => call<InvitationShown>('POST', 'invitation', { token }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: token !== '',
  })
  return (
    <>
      <Title>{t('acceptInvitation')}</Title>
      {found.error !== null && <Alert type="error" showIcon title={says(found.error)} />}
      {token === '' && <Alert type="info" showIcon title={t('invitationNeedsLink')} />}
      {found.isLoading && <Spin />}
      {found.data !== undefined && <Accept of={found.data} token={token} />}
    </>
  )
}

function Accept({ of, token }: { of: InvitationShown; token: string }) {
  const { t, word } = usePreferences()
  const says = useSays()
  const navigate = useNavigate()
  const { data: who } = useQuery(session)
  const accept = useMutation({
    mutationFn: ({ new_password }: Pick<InvitationAccept, 'new_password'>) =>
      call<Session>('POST', 'invitation/accept', { token, new_password }),
    onSuccess: async (session) => {
      began(session)
      await navigate({ to: '/' as never, replace: true })
    },
  })
  return (
    <>
      <p>{t('acceptSay')}</p>
      <dl className="facts" style={{ marginBottom: 16 }}>
        <Fact text={t('role')}>{word(of.role)}</Fact>
        {of.mch_no !== null && <Fact text={t('merchant')}>{of.mch_no}</Fact>}
        <Fact text={t('validUntil')}>{when(of.expires_at)}</Fact>
      </dl>
      {who != null && accept.data === undefined && (
        <Alert type="warning" showIcon title={`${t('signedInAs')} ${who.username}`} style={{ marginBottom: 16 }} />
      )}
      {accept.error !== null && <Alert type="error" showIcon title={says(accept.error)} style={{ marginBottom: 16 }} />}
      <Form
        layout="vertical"
        requiredMark={false}
        initialValues={{ username: of.username }}
        onFinish={(values: Pick<InvitationAccept, 'new_password'>) => accept.mutate(values)}
      >
        <Form.Item name="username" label={t('username')}>
          <Input autoComplete="username" readOnly />
        </Form.Item>
        <Form.Item
          name="new_password"
          label={t('newPassword')}
          extra={t('passwordRule')}
          rules={[{ required: true, min: 12, message: t('passwordRule') }]}
        >
          <Input.Password autoComplete="new-password" visibilityToggle={false} autoFocus />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={accept.isPending}>
          {t('acceptAndSignIn')}
        </Button>
      </Form>
    </>
  )
}
