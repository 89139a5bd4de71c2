/** The form of one alarm channel. Secrets are never shown: an empty one keeps its value, and a dash takes it away. */
import type { AlarmChannelAsk, AlarmChannelRow } from '@acopay/protocol/console'
import { App, Form, Input, InputNumber, Modal, Select } from 'antd'
import { ApiError } from '../../api-error.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

const KINDS = ['wecom', 'dingtalk', 'feishu', 'webhook', 'mail'] as const

export function AlarmChannelForm(props: {
  of: AlarmChannelRow | null
  isSaving: boolean
  save: (ask: AlarmChannelAsk) => Promise<unknown>
  onClose: () => void
}) {
  const { t, word } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const { of, isSaving, save, onClose } = props
  const [form] = Form.useForm<AlarmChannelAsk>()
  const kind = Form.useWatch('kind', form) ?? of?.kind ?? 'wecom'
  const submit = async (ask: AlarmChannelAsk): Promise<void> => {
    try {
      await save(ask)
      void message.success(t('saved'))
      onClose()
    } catch (error) {
      const field = error instanceof ApiError ? error.failure?.field : undefined
      if (field === undefined) void message.error(says(error))
      else form.setFields([{ name: field as keyof AlarmChannelAsk, errors: [says(error)] }])
    }
  }
  const title = t(of === null ? 'addAlarmChannel' : 'changeAlarmChannel')
  return (
    <Modal
      open
      title={title}
      okText={t('save')}
      confirmLoading={isSaving}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ kind, name: of?.name, security: 'tls', ...of?.settings }}
        onFinish={(ask) => void submit(ask)}
      >
        <Form.Item name="kind" label={t('kind')}>
          <Select disabled={of !== null} options={KINDS.map((value) => ({ value, label: word(`to_${value}`) }))} />
        </Form.Item>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, message: t('needed') }]}>
          <Input maxLength={64} />
        </Form.Item>
        {kind === 'mail' ? <MailFields of={of} /> : <RobotFields of={of} kind={kind} />}
      </Form>
    </Modal>
  )
}

function RobotFields({ of, kind }: { of: AlarmChannelRow | null; kind: AlarmChannelRow['kind'] }) {
  const { t } = usePreferences()
  const placeholder = of === null ? 'https://' : `${of.settings?.url_host ?? ''} ${t('isSet')}`
  return (
    <>
      <Form.Item name="url" label={t('url')} extra={t('robotUrlSay')}>
        <Input autoComplete="off" placeholder={placeholder} />
      </Form.Item>
      {kind !== 'wecom' && <Secret name="secret" isSet={of?.settings?.secret_is_set ?? false} />}
    </>
  )
}

function MailFields({ of }: { of: AlarmChannelRow | null }) {
  const { t } = usePreferences()
  return (
    <>
      <Form.Item name="host" label={t('host')}>
        <Input placeholder="smtp.example.com" />
      </Form.Item>
      <Form.Item name="security" label={t('security')}>
        <Select
          options={[
            { value: 'tls', label: 'TLS (465)' },
            { value: 'starttls', label: 'STARTTLS (587)' },
          ]}
        />
      </Form.Item>
      <Form.Item name="port" label={t('port')}>
        <InputNumber min={1} max={65_535} precision={0} placeholder="465" />
      </Form.Item>
      <Form.Item name="user" label={t('username')}>
        <Input autoComplete="off" />
      </Form.Item>
      <Secret name="password" isSet={of?.settings?.password_is_set ?? false} />
      <Form.Item name="sender" label={t('sender')}>
        <Input />
      </Form.Item>
      <Form.Item name="recipients" label={t('recipients')}>
        <Input placeholder="a@example.com, b@example.com" />
      </Form.Item>
    </>
  )
}

function Secret({ name, isSet }: { name: 'secret' | 'password'; isSet: boolean }) {
  const { t } = usePreferences()
  return (
    <Form.Item name={name} label={t(name)}>
      <Input.Password
        autoComplete="new-password"
        visibilityToggle={false}
        placeholder={isSet ? t('isSetDash') : t('isNotSet')}
      />
    </Form.Item>
  )
}
