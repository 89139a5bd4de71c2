/** The channels to which alarms are told: added, changed, removed, and tried by a button that shows what the other side answered. */
import type { AlarmChannelAsk, AlarmChannelList, AlarmChannelRow, ChannelTest } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, App, Button } from 'antd'
import { useState } from 'react'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { Rows, State, Trouble, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { AlarmChannelForm } from './alarm-channel-form.tsx'

const PATH = 'alarm-channels'

type Change = { method: 'POST' | 'PUT' | 'DELETE'; to?: string; body?: AlarmChannelAsk }

export function AlarmChannels() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const [edited, setEdited] = useState<AlarmChannelRow | 'new' | null>(null)
  const found = useQuery({ queryKey: [PATH], queryFn: () => call<AlarmChannelList>('GET', PATH) })
  const mayWrite = who?.permissions.includes('alarms.write') ?? false
  const rows = found.data?.rows ?? []
  return (
    <>
      <h2>{t('alarmChannels')}</h2>
      <p className="note">{t('alarmChannelsSay')}</p>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.data !== undefined && rows.length === 0 && <Alert type="warning" showIcon title={t('noAlarmChannel')} />}
      {rows.length > 0 && (
        <Rows<AlarmChannelRow>
          label={t('alarmChannels')}
          rows={rows}
          keyOf={(row) => row.channel_id}
          columns={[
            { text: 'name', show: (row) => row.name, isText: true },
            { text: 'kind', show: (row) => <Kind of={row} /> },
            { text: 'state', show: (row) => <State of={stateOf(row)} /> },
            { text: 'sendsTo', show: (row) => sendsTo(row), isText: true },
            { text: 'triedAt', show: (row) => when(row.tried_at) },
            { text: 'lastAnswer', show: (row) => row.last_answer ?? '—', isText: true },
            { text: 'actions', show: (row) => mayWrite && <Actions of={row} edit={() => setEdited(row)} /> },
          ]}
        />
      )}
      {mayWrite && (
        <div className="buttons">
          <Button type="primary" onClick={() => setEdited('new')}>
            {t('addAlarmChannel')}
          </Button>
        </div>
      )}
      {edited !== null && <Edit of={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </>
  )
}

function Kind({ of }: { of: AlarmChannelRow }) {
  const { word } = usePreferences()
  return word(`to_${of.kind}`)
}

const stateOf = ({ enabled, failing_from }: AlarmChannelRow): string => {
  if (!enabled) return 'disabled'
  return failing_from === null ? 'in_use' : 'failing'
}

const sendsTo = ({ settings }: AlarmChannelRow): string => {
  if (settings === null) return '—'
  return settings.url_host ?? `${settings.recipients} (${settings.host}:${settings.port})`
}

function useChannelChange() {
  return useMutation({
    mutationFn: ({ method, to = '', body = {} }: Change) => call<unknown>(method, PATH + to, body),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
  })
}

function Edit({ of, onClose }: { of: AlarmChannelRow | null; onClose: () => void }) {
  const change = useChannelChange()
  const save = (body: AlarmChannelAsk): Promise<unknown> =>
    change.mutateAsync(of === null ? { method: 'POST', body } : { method: 'PUT', to: `/${of.channel_id}`, body })
  return <AlarmChannelForm of={of} isSaving={change.isPending} save={save} onClose={onClose} />
}

function Actions({ of, edit }: { of: AlarmChannelRow; edit: () => void }) {
  const { t, language } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const change = useChannelChange()
  const onError = (error: unknown): void => void message.error(says(error))
  const test = useMutation({
    mutationFn: () => call<ChannelTest>('POST', `${PATH}/${of.channel_id}/test`, {}),
    onError,
    onSuccess: ({ is_fine, ms, message: told }) =>
      void modal[is_fine ? 'success' : 'error']({ title: t('testAlarm'), content: `${told[language]} (${ms} ms)` }),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
  })
  const to = `/${of.channel_id}`
  const remove = (): void => {
    const onOk = () => change.mutateAsync({ method: 'DELETE', to }).catch(onError)
    void modal.confirm({ title: `${t('removeAlarmChannel')}: ${of.name}`, okText: t('removeAlarmChannel'), onOk })
  }
  return (
    <div className="buttons">
      <Button size="small" loading={test.isPending} onClick={() => test.mutate()}>
        {t('testAlarm')}
      </Button>
      <Button size="small" onClick={edit}>
        {t('changeAlarmChannel')}
      </Button>
      <Button
        size="small"
        onClick={() => change.mutate({ method: 'PUT', to, body: { enabled: !of.enabled } }, { onError })}
      >
        {t(of.enabled ? 'disable' : 'enable')}
      </Button>
      <Button size="small" onClick={remove}>
        {t('removeAlarmChannel')}
      </Button>
    </div>
  )
}
