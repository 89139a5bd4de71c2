/** Signing in by the identity provider: the button, what became of the last try, and the second factor after it. */
import {
  PROVIDER_WORDS,
  type ProviderDeparture,
  type ProviderSecondAsk,
  type ProviderView,
  type ProviderWord,
  type SecondFactor,
  type Session,
} from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Alert, Button, Divider, Form, Spin } from 'antd'
import { useEffect, useState } from 'react'
import { began, call } from '../../api.ts'
import { ApiError } from '../../api-error.ts'
import { Title, useSays } from '../../parts.tsx'
import { signWithPasskey } from '../../passkey.ts'
import { usePreferences } from '../../preferences.tsx'
import { SecondStep } from './second-step.tsx'

/** What the way back from the provider says; null on every other way. */
export function useProviderWord(): ProviderWord | null {
  const { provider } = useSearch({ strict: false }) as { provider?: string }
  return PROVIDER_WORDS.find((word) => word === provider) ?? null
}

/** What became of the last try. */
export function ProviderSaid({ word }: { word: ProviderWord | null }) {
  const { word: wordOf } = usePreferences()
  if (word === null || word === 'second') return null
  const type = word === 'linked' ? 'success' : 'error'
  return <Alert type={type} showIcon title={wordOf(`provider_${word}`)} style={{ marginBottom: 16 }} />
}

/** Leaves for the provider. `path`: the call that says where. */
export function useDeparture(path: string) {
  return useMutation({
    mutationFn: () => call<ProviderDeparture>('POST', path, {}),
    onSuccess: ({ url }) => location.assign(url),
  })
}

/** Nothing where the installation has no provider, or where that cannot be asked: the password works in any case. */
export function ProviderButton() {
  const { t } = usePreferences()
  const says = useSays()
  const { data } = useQuery({ queryKey: ['provider'], queryFn: () => call<ProviderView | null>('GET', 'provider') })
  const leave = useDeparture('provider')
  if (data == null) return null
  return (
    <>
      <Divider plain>{t('or')}</Divider>
      {leave.error !== null && <Alert type="error" showIcon title={says(leave.error)} style={{ marginBottom: 16 }} />}
      <Button block loading={leave.isPending || leave.isSuccess} onClick={() => leave.mutate()}>
        {t('signInBy') + data.name}
      </Button>
    </>
  )
}

/** The provider took the place of the password; the second factor is asked for here. */
export function SecondAfterProvider() {
  const { t } = usePreferences()
  const says = useSays()
  const navigate = useNavigate()
  const [second, setSecond] = useState<SecondFactor | null>(null)
  const again = (): void => void navigate({ to: '/overview' as never, search: {} as never, replace: true })
  const send = useMutation({
    mutationFn: async ({ totp, isByPasskey = false }: { totp?: string; isByPasskey?: boolean }) => {
      const options = isByPasskey ? (second?.passkey ?? null) : null
      const passkey = options === null ? {} : { passkey: await signWithPasskey(options) }
      const asked: ProviderSecondAsk = { ...(totp === undefined ? {} : { totp }), ...passkey }
      return call<Session>('POST', 'provider/second', asked)
    },
    onSuccess: (who) => {
      began(who)
      again()
    },
    onError: (error) => {
      const found = error instanceof ApiError ? error.failure?.second_factor : undefined
      if (found !== undefined) setSecond(found)
    },
  })
  const { mutate } = send
  // The first question is what the user may answer with.
  useEffect(() => mutate({}), [mutate])
  const isRefused = send.error !== null && !isQuestion(send.error)
  return (
    <>
      <Title>{t('secondFactor')}</Title>
      {isRefused && <Alert type="error" showIcon title={says(send.error)} style={{ marginBottom: 16 }} />}
      {second === null && !isRefused && <Spin />}
      {second !== null && (
        <Form layout="vertical" requiredMark={false} onFinish={({ totp }: { totp: string }) => mutate({ totp })}>
          <SecondStep of={second} isBusy={send.isPending} byPasskey={async () => mutate({ isByPasskey: true })} />
          <Button type={second.passkey ? 'default' : 'primary'} htmlType="submit" block loading={send.isPending}>
            {t('signIn')}
          </Button>
        </Form>
      )}
      <Button type="link" block onClick={again}>
        {t('signInAnew')}
      </Button>
    </>
  )
}

const isQuestion = (error: Error): boolean => error instanceof ApiError && error.failure?.second_factor !== undefined
