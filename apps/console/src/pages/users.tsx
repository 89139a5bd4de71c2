/** Who may use the console. Passwords are made here, shown once and changed at the first sign-in. */
import {
  isMerchantRole,
  type NewUser,
  ROLES,
  type Role,
  type UserChange,
  type UserChanged,
  type UserRow,
} from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { call, queries, session } from '../api.ts'
import { when } from '../format.ts'
import { ListPage } from '../list-page.tsx'
import { Mono, useSays } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'

export function Users() {
  const { t, word } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const { data: who } = useQuery(session)
  const [isAdding, setAdding] = useState(false)
  const [changing, setChanging] = useState<UserRow | null>(null)
  const mayWrite = who?.permissions.includes('users.write') ?? false
  const told = ({ user, password }: UserChanged): void => {
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
  const change = useMutation({
    mutationFn: ({ username, ...asked }: UserChange & { username: string }) =>
      call<UserChanged>('PUT', `users/${username}`, asked),
    onSuccess: told,
    onError: (error) => void message.error(says(error)),
  })
  const ask = (title: string, row: UserRow, asked: UserChange): void => {
    const onOk = () => change.mutateAsync({ username: row.username, ...asked }).catch(() => {})
    void modal.confirm({ title: `${title}: ${row.username}`, okText: title, onOk })
  }
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
            </div>
          )
        }
        columns={[
          { text: 'username', show: (row) => row.username },
          { text: 'role', show: (row) => word(row.role) },
          { text: 'merchant', show: (row) => row.mch_no ?? '—' },
          {
            text: 'state',
            show: (row) => (row.enabled ? (row.locked_until === null ? t('enabled') : t('locked')) : t('disabled')),
          },
          { text: 'totp', show: (row) => (row.totp_enabled ? t('yes') : t('no')) },
          { text: 'lastSignIn', show: (row) => when(row.last_signed_in_at) },
          {
            text: 'deeds',
            show: (row) =>
              mayWrite &&
              row.username !== who?.username && (
                <div className="buttons">
                  <Button size="small" onClick={() => setChanging(row)}>
                    {t('changeRole')}
                  </Button>
                  <Button size="small" onClick={() => ask(t('resetPassword'), row, { reset_password: true })}>
                    {t('resetPassword')}
                  </Button>
                  {row.totp_enabled && (
                    <Button size="small" onClick={() => ask(t('resetTotp'), row, { reset_totp: true })}>
                      {t('resetTotp')}
                    </Button>
                  )}
                  {row.locked_until !== null && (
                    <Button size="small" onClick={() => ask(t('unlock'), row, { unlock: true })}>
                      {t('unlock')}
                    </Button>
                  )}
                  <Button
                    size="small"
                    onClick={() => ask(row.enabled ? t('disable') : t('enable'), row, { enabled: !row.enabled })}
                  >
                    {row.enabled ? t('disable') : t('enable')}
                  </Button>
                </div>
              ),
          },
        ]}
      />
      {isAdding && who != null && <AddUser mchNo={who.mch_no} onDone={told} onClose={() => setAdding(false)} />}
      {changing !== null && <ChangeRole of={changing} onDone={told} onClose={() => setChanging(null)} />}
    </>
  )
}

/** Within what the user belongs to: a merchant's users stay its own, and the platform's stay the platform's. */
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
  const roles = ROLES.filter((one) => isMerchantRole(one) === (mch_no !== null))
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
  const { t, word } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [form] = Form.useForm<NewUser>()
  const role = Form.useWatch('role', form)
  const add = useMutation({
    mutationFn: (asked: NewUser) => call<UserChanged>('POST', 'users', asked),
    onSuccess: (made) => {
      props.onClose()
      props.onDone(made)
    },
    onError: (error) => void message.error(says(error)),
  })
  const roles = ROLES.filter((one) => props.mchNo === null || isMerchantRole(one))
  const isMerchants = role !== undefined && isMerchantRole(role)
  return (
    <Modal
      open
      title={t('addUser')}
      okText={t('addUser')}
      confirmLoading={add.isPending}
      onOk={() => form.submit()}
      onCancel={props.onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(values) => add.mutate({ ...values, mch_no: isMerchants ? (props.mchNo ?? values.mch_no) : null })}
      >
        <Form.Item
          name="username"
          label={t('username')}
          rules={[{ required: true, pattern: /^[a-z0-9][a-z0-9._-]{1,63}$/, message: t('usernameRule') }]}
        >
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t('role')} rules={[{ required: true, message: t('needed') }]}>
          <Select options={roles.map((value) => ({ value, label: word(value) }))} />
        </Form.Item>
        {isMerchants && props.mchNo === null && (
          <Form.Item name="mch_no" label={t('merchant')} rules={[{ required: true, message: t('needed') }]}>
            <Input />
          </Form.Item>
        )}
      </Form>
    </Modal>
  )
}
