/** The users of the console. The server makes their first password; it is shown once and changed at the first sign-in. */
import type { NewUser, Role, UserChange, UserChanged, UserRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { App, Button, Modal, Select } from 'antd'
import { useState } from 'react'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { ListPage } from '../../list-page.tsx'
import { Mono, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { NewUserForm } from './new-user-form.tsx'
import { rolesToChange, stateOf } from './user-roles.ts'

export function Users() {
  const { t, word } = usePreferences()
  const { data: who } = useQuery(session)
  const [isAdding, setAdding] = useState(false)
  const [changing, setChanging] = useState<UserRow | null>(null)
  const mayWrite = who?.permissions.includes('users.write') ?? false
  const done = useDone()
  const secondFactorsOf = ({ totp_enabled, passkeys }: UserRow): string[] => [
    ...(totp_enabled ? ['TOTP'] : []),
    ...(passkeys > 0 ? [`${t('passkeys')} × ${passkeys}`] : []),
  ]
  return (
    <>
      <ListPage<UserRow>
        title="users"
        path="users"
        filters={[]}
        keyOf={(row) => row.username}
        actions={() =>
          mayWrite && (
            <div className="buttons">
              <Button type="primary" onClick={() => setAdding(true)}>
                {t('addUser')}
              </Button>
              <Link to={'/invitations' as never}>{t('invitations')}</Link>
            </div>
          )
        }
        columns={[
          { text: 'username', show: (row) => row.username },
          { text: 'role', show: (row) => word(row.role) },
          { text: 'merchant', show: (row) => row.mch_no ?? '—' },
          { text: 'state', show: (row) => t(stateOf(row)) },
          { text: 'secondFactor', show: (row) => secondFactorsOf(row).join(' · ') || '—' },
          { text: 'lastSignIn', show: (row) => when(row.last_signed_in_at) },
          {
            text: 'actions',
            show: (row) =>
              mayWrite &&
              row.username !== who?.username && (
                <UserButtons of={row} onDone={done} changeRole={() => setChanging(row)} />
              ),
          },
        ]}
      />
      {isAdding && who != null && <AddUser mchNo={who.mch_no} onDone={done} onClose={() => setAdding(false)} />}
      {changing !== null && <ChangeRole of={changing} onDone={done} onClose={() => setChanging(null)} />}
    </>
  )
}

/** After a change: reloads the list, and shows the one-time password where there is a new one. */
function useDone(): (changed: UserChanged) => void {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  return ({ user, password }) => {
    void queries.invalidateQueries({ queryKey: ['users'] })
    if (password === null) return
    const content = (
      <>
        <p>{t('passwordOnce')}</p>
        <p>
          {user.username}: <Mono>{password}</Mono>
        </p>
      </>
    )
    void modal.success({ title: t('oneTimePassword'), content, okText: t('savedIt'), keyboard: false })
  }
}

/** What an admin can do to another user; each operation asks first. */
function UserButtons(props: { of: UserRow; onDone: (changed: UserChanged) => void; changeRole: () => void }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const { username, enabled, totp_enabled, passkeys, locked_until } = props.of
  const change = useMutation({
    mutationFn: (asked: UserChange) => call<UserChanged>('PUT', `users/${username}`, asked),
    onSuccess: props.onDone,
    onError: (error) => void message.error(says(error)),
  })
  const button = (title: string, asked: UserChange) => {
    const onOk = () => change.mutateAsync(asked).catch(() => {})
    const ask = () => void modal.confirm({ title: `${title}: ${username}`, okText: title, onOk })
    return (
      <Button size="small" onClick={ask}>
        {title}
      </Button>
    )
  }
  return (
    <div className="buttons">
      <Button size="small" onClick={props.changeRole}>
        {t('changeRole')}
      </Button>
      {button(t('resetPassword'), { reset_password: true })}
      {(totp_enabled || passkeys > 0) && button(t('resetTotp'), { reset_totp: true })}
      {locked_until !== null && button(t('unlock'), { unlock: true })}
      {button(enabled ? t('disable') : t('enable'), { enabled: !enabled })}
    </div>
  )
}

/** Offers only roles of the same kind: a merchant's user stays with its merchant, a platform's with the platform. */
function ChangeRole(props: { of: UserRow; onDone: (changed: UserChanged) => void; onClose: () => void }) {
  const { t, word } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const { username, mch_no, role: now } = props.of
  const [role, setRole] = useState<Role>(now)
  const change = useMutation({
    mutationFn: (asked: UserChange) => call<UserChanged>('PUT', `users/${username}`, asked),
    onSuccess: (changed) => {
      props.onClose()
      props.onDone(changed)
    },
    onError: (error) => void message.error(says(error)),
  })
  const roles = rolesToChange(mch_no)
  return (
    <Modal
      open
      title={`${t('changeRole')}: ${username}`}
      okText={t('changeRole')}
      okButtonProps={{ disabled: role === now }}
      confirmLoading={change.isPending}
      onOk={() => change.mutate({ role })}
      onCancel={props.onClose}
    >
      <p>{t('changeRoleAsk')}</p>
      <Select
        aria-label={t('role')}
        value={role}
        onChange={setRole}
        className="wide-select"
        options={roles.map((value) => ({ value, label: word(value) }))}
      />
    </Modal>
  )
}

function AddUser(props: { mchNo: string | null; onDone: (made: UserChanged) => void; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const add = useMutation({
    mutationFn: (asked: NewUser) => call<UserChanged>('POST', 'users', asked),
    onSuccess: (made) => {
      props.onClose()
      props.onDone(made)
    },
    onError: (error) => void message.error(says(error)),
  })
  return (
    <NewUserForm
      title={t('addUser')}
      mchNo={props.mchNo}
      isBusy={add.isPending}
      onSend={add.mutate}
      onClose={props.onClose}
    />
  )
}
