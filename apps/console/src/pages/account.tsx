/** One's own account: the password, and the authenticator as a second proof. */
import type { TotpSecret } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input, QRCode } from 'antd'
import { call, queries, session } from '../api.ts'
import { Fact, Mono, Title, useSays } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { ChangePassword } from './sign-in.tsx'

export function Account() {
  const { t, word } = usePreferences()
  const { data: who } = useQuery(session)
  if (who == null) return null
  return (
    <>
      <Title>{t('account')}</Title>
      <dl className="facts">
        <Fact text={t('username')}>{who.username}</Fact>
        <Fact text={t('role')}>{word(who.role)}</Fact>
        <Fact text={t('merchant')}>{who.mch_no ?? t('allMerchants')}</Fact>
      </dl>
      <div className="columns">
        <section>
          <ChangePassword />
        </section>
        <section>
          <h2>{t('totp')}</h2>
          <p className="note">{who.totp_enabled ? t('totpIsOn') : t('totpIsOff')}</p>
          {who.totp_enabled ? <TurnOff /> : <TurnOn />}
        </section>
      </div>
    </>
  )
}

function TurnOn() {
  const { t } = usePreferences()
  const says = useSays()
  const begin = useMutation({ mutationFn: () => call<TotpSecret>('POST', 'session/totp', {}) })
  if (begin.data === undefined) {
    return (
      <>
        {begin.error !== null && <Alert type="error" showIcon title={says(begin.error)} />}
        <Button onClick={() => begin.mutate()} loading={begin.isPending}>
          {t('totpBegin')}
        </Button>
      </>
    )
  }
  const { secret, uri } = begin.data
  return (
    <>
      <p>{t('totpScan')}</p>
      <QRCode value={uri} type="svg" color="#000" bgColor="#fff" />
      <p>
        <Mono>{secret}</Mono>
      </p>
      <Code method="PUT" text={t('totpOn')} />
    </>
  )
}

const TurnOff = () => {
  const { t } = usePreferences()
  return <Code method="DELETE" text={t('totpOff')} />
}

function Code({ method, text }: { method: 'PUT' | 'DELETE'; text: string }) {
  const { t } = usePreferences()
  const says = useSays()
  const send = useMutation({
    mutationFn: (asked: { code: string }) => call(method, 'session/totp', asked),
    onSuccess: () => queries.invalidateQueries(session),
  })
  return (
    <Form layout="vertical" requiredMark={false} onFinish={(values: { code: string }) => send.mutate(values)}>
      {send.error !== null && <Alert type="error" showIcon title={says(send.error)} style={{ marginBottom: 12 }} />}
      <Form.Item name="code" label={t('code')} rules={[{ required: true, message: t('needed') }]}>
        <Input inputMode="numeric" autoComplete="one-time-code" maxLength={8} style={{ maxWidth: 160 }} />
      </Form.Item>
      <Button htmlType="submit" loading={send.isPending}>
        {text}
      </Button>
    </Form>
  )
}
