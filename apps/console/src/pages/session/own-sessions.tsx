/** From where the user is signed in. What the user does not know can be ended. */
import type { SessionList, SessionRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Tag } from 'antd'
import { call, queries } from '../../api.ts'
import { when } from '../../format.ts'
import { Mono, Rows, Trouble, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

const KEY = ['sessions']

export function OwnSessions() {
  const { t } = usePreferences()
  const { data, error, refetch } = useQuery({ queryKey: KEY, queryFn: () => call<SessionList>('GET', 'sessions') })
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  return (
    <>
      <h2>{t('ownSessions')}</h2>
      <p className="note">{t('ownSessionsSay')}</p>
      {data !== undefined && (
        <Rows<SessionRow>
          label={t('ownSessions')}
          rows={data.rows}
          keyOf={({ id }) => id}
          columns={[
            { text: 'address', show: (row) => <Mono>{row.address}</Mono> },
            { text: 'signedInAt', show: (row) => when(row.created_at) },
            { text: 'seenAt', show: (row) => when(row.seen_at) },
            { text: 'action', show: (row) => (row.is_this ? <Tag>{t('thisSession')}</Tag> : <End id={row.id} />) },
          ]}
        />
      )}
    </>
  )
}

function End({ id }: { id: string }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const end = useMutation({
    mutationFn: () => call('DELETE', `sessions/${id}`),
    // Also after a failure: it may have ended by itself.
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
    onError: (error) => void message.error(says(error)),
  })
  return (
    <Button size="small" loading={end.isPending} onClick={() => end.mutate()}>
      {t('endSession')}
    </Button>
  )
}
