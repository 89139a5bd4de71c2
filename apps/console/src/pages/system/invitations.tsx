/** Invitations to the console: a link that is shown once, and what became of it. */
import type { InvitationMade, InvitationRow, NewUser } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Modal } from 'antd'
import { useState } from 'react'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { ListPage } from '../../list-page.tsx'
import { State, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { NewUserForm } from './new-user-form.tsx'

const PATH = 'invitations'

export function Invitations() {
  const { t, word } = usePreferences()
  const { data: who } = useQuery(session)
  const [isInviting, setInviting] = useState(false)
  const [link, setLink] = useState<string | null>(null)
  const mayWrite = who?.permissions.includes('users.write') ?? false
  const made = ({ path }: InvitationMade): void => {
    setInviting(false)
    setLink(location.origin + path)
  }
  return (
    <>
      <ListPage<InvitationRow>
        title="invitations"
        path={PATH}
        filters={[]}
        keyOf={(row) => row.invitation_no}
        actions={() => (
          <>
            <p className="note">{t('invitationsSay')}</p>
            {mayWrite && (
              <div className="buttons">
                <Button type="primary" onClick={() => setInviting(true)}>
                  {t('invite')}
                </Button>
              </div>
            )}
          </>
        )}
        columns={[
          { text: 'username', show: (row) => row.username },
          { text: 'role', show: (row) => word(row.role) },
          { text: 'merchant', show: (row) => row.mch_no ?? '—' },
          { text: 'state', show: (row) => <State of={`invited_${row.state}`} /> },
          { text: 'invitedBy', show: (row) => row.invited_by },
          { text: 'at', show: (row) => when(row.created_at) },
          { text: 'validUntil', show: (row) => when(row.expires_at) },
          { text: 'action', show: (row) => mayWrite && row.state === 'OPEN' && <Revoke of={row} /> },
        ]}
      />
      {isInviting && who != null && <Invite mchNo={who.mch_no} onMade={made} onClose={() => setInviting(false)} />}
      {link !== null && <InvitationLink text={link} onClose={() => setLink(null)} />}
    </>
  )
}

function Invite(props: { mchNo: string | null; onMade: (made: InvitationMade) => void; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const invite = useMutation({
    mutationFn: (asked: NewUser) => call<InvitationMade>('POST', PATH, asked),
    onSuccess: props.onMade,
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
  })
  return (
    <NewUserForm
      title={t('invite')}
      mchNo={props.mchNo}
      isBusy={invite.isPending}
      onSend={invite.mutate}
      onClose={props.onClose}
    />
  )
}

/** Shown once, so that only the button closes it: no Escape key and no click beside it. */
function InvitationLink({ text, onClose }: { text: string; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      void message.success(t('copied'))
    } catch {
      // Browsers give no clipboard to pages over plain http, and may refuse it to others.
      void message.error(t('copyFailed'))
    }
  }
  return (
    <Modal
      open
      title={t('invitationLink')}
      okText={t('copyLink')}
      cancelText={t('savedIt')}
      onOk={copy}
      onCancel={onClose}
      keyboard={false}
      closable={false}
      mask={{ closable: false }}
    >
      <p>{t('invitationOnce')}</p>
      <p className="mono wrap">{text}</p>
    </Modal>
  )
}

function Revoke({ of: { invitation_no, username } }: { of: InvitationRow }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const revoke = useMutation({
    mutationFn: () => call('DELETE', `${PATH}/${invitation_no}`),
    // Also after a failure: it may have been used meanwhile.
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
    onError: (error) => void message.error(says(error)),
  })
  const ask = () =>
    void modal.confirm({
      title: `${t('revokeInvitation')}: ${username}`,
      content: t('revokeInvitationAsk'),
      okText: t('revokeInvitation'),
      onOk: () => revoke.mutateAsync().catch(() => {}),
    })
  return (
    <Button size="small" onClick={ask} aria-label={`${t('revokeInvitation')} ${username}`}>
      {t('revokeInvitation')}
    </Button>
  )
}
