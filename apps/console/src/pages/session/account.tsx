/** The user's own account: the password, and the second factor, which is an authenticator or passkeys. */
import type { RecoveryCodes, Session, TotpAsk, TotpSecret } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Form, Input, QRCode } from 'antd'
import { call, queries, session } from '../../api.ts'
import { Fact, Mono, Title, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { AddPasskey, OwnPasskeys } from './own-passkeys.tsx'
import { OwnProvider } from './own-provider.tsx'
import { OwnSessions } from './own-sessions.tsx'
import { RecoveryCodesOnce } from './recovery-codes.tsx'
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
      <OwnProvider />
      <OwnPasskeys who={who} />
      <OwnSessions />
    </>
  )
}

/** Before anything else, where the role needs it: an authenticator, or a passkey where the address allows one. */
export function SecondFactorFirst({ who }: { who: Session }) {
  const { t } = usePreferences()
  return (
    <>
      <Title>{t('secondFactor')}</Title>
      <p className="note">{t('secondFactorNeeded')}</p>
      <h2>{t('totp')}</h2>
      <TurnOn />
      <h2>{t('passkeys')}</h2>
      <p className="note">{t('passkeysSay')}</p>
      <AddPasskey who={who} />
    </>
  )
}

function TurnOn() {
  const { t } = usePreferences()
  const begin = useMutation({ mutationFn: (asked: TotpAsk) => call<TotpSecret>('POST', 'session/totp', asked) })
  if (begin.data === undefined) {
    return (
      <Proof of={['password']} text={t('totpBegin')} error={begin.error} isBusy={begin.isPending} send={begin.mutate} />
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
      <SwitchOn />
    </>
  )
}

function SwitchOn() {
  const { t } = usePreferences()
  const send = useMutation({ mutationFn: (asked: TotpAsk) => call<RecoveryCodes>('PUT', 'session/totp', asked) })
  if (send.data === undefined) {
    return <Proof of={['code']} text={t('totpOn')} error={send.error} isBusy={send.isPending} send={send.mutate} />
  }
  return <RecoveryCodesOnce codes={send.data.recovery_codes} text={t('recoveryCodes')} />
}

const TurnOff = () => {
  const { t } = usePreferences()
  const send = useMutation({
    mutationFn: (asked: TotpAsk) => call('DELETE', 'session/totp', asked),
    onSuccess: () => queries.invalidateQueries(session),
  })
  return (
    <Proof
      of={['password', 'code']}
      text={t('totpOff')}
      error={send.error}
      isBusy={send.isPending}
      send={send.mutate}
    />
  )
}

type Asked = keyof TotpAsk

/** The fields that prove who the user is: the password, a code, or both. */
function Proof(props: {
  of: Asked[]
  text: string
  error: Error | null
  isBusy: boolean
  send: (asked: TotpAsk) => void
}) {
  const { t } = usePreferences()
  const says = useSays()
  const needed = [{ required: true, message: t('needed') }]
  return (
    <Form name="totp" layout="vertical" requiredMark={false} onFinish={props.send}>
      {props.error !== null && <Alert type="error" showIcon title={says(props.error)} style={{ marginBottom: 12 }} />}
      {props.of.includes('password') && (
        <Form.Item name="password" label={t('password')} rules={needed}>
          <Input.Password autoComplete="current-password" visibilityToggle={false} style={{ maxWidth: 320 }} />
        </Form.Item>
      )}
      {props.of.includes('code') && (
        <Form.Item name="code" label={t('code')} rules={needed}>
          <Input inputMode="numeric" autoComplete="one-time-code" maxLength={8} style={{ maxWidth: 160 }} />
        </Form.Item>
      )}
      <Button htmlType="submit" loading={props.isBusy}>
        {props.text}
      </Button>
    </Form>
  )
}
