/** Whether the user can sign in by the identity provider. */
import type { OwnProvider as Own } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, App, Button } from 'antd'
import { call, queries } from '../../api.ts'
import { when } from '../../format.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { ProviderSaid, useDeparture, useProviderWord } from './by-provider.tsx'

const PATH = 'session/provider'

export function OwnProvider() {
  const { t } = usePreferences()
  const says = useSays()
  const word = useProviderWord()
  const { data } = useQuery({ queryKey: [PATH], queryFn: () => call<Own>('GET', PATH) })
  const leave = useDeparture(PATH)
  if (data === undefined || data.name === null) return null
  return (
    <>
      <h2>{t('signInBy') + data.name}</h2>
      <ProviderSaid word={word} />
      <p className="note">
        {data.linked_at === null ? t('providerNotLinked') : `${t('providerLinkedAt')} ${when(data.linked_at)}`}
      </p>
      {leave.error !== null && <Alert type="error" showIcon title={says(leave.error)} style={{ marginBottom: 12 }} />}
      {data.linked_at === null ? (
        <Button loading={leave.isPending || leave.isSuccess} onClick={() => leave.mutate()}>
          {t('linkProvider')}
        </Button>
      ) : (
        <Unlink />
      )}
    </>
  )
}

function Unlink() {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const unlink = useMutation({
    mutationFn: () => call('DELETE', PATH),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
    onError: (error) => void message.error(says(error)),
  })
  const ask = () =>
    void modal.confirm({
      title: t('unlinkProvider'),
      content: t('unlinkProviderAsk'),
      okText: t('unlinkProvider'),
      onOk: () => unlink.mutateAsync().catch(() => {}),
    })
  return <Button onClick={ask}>{t('unlinkProvider')}</Button>
}
