/** Who shall be a user: a name, a role, and the merchant where the role is a merchant's. */
import { isMerchantRole, type NewUser } from '@acopay/protocol/console'
import { Form, Input, Modal, Select } from 'antd'
import { usePreferences } from '../../preferences.tsx'
import { merchantOfNew, rolesToAdd } from './user-roles.ts'

/** `mchNo`: the merchant of the user who fills it in; null sees all. */
export function NewUserForm(props: {
  title: string
  mchNo: string | null
  isBusy: boolean
  onSend: (asked: NewUser) => void
  onClose: () => void
}) {
  const { t, word } = usePreferences()
  const [form] = Form.useForm<NewUser>()
  const role = Form.useWatch('role', form)
  const roles = rolesToAdd(props.mchNo)
  const isMerchants = role !== undefined && isMerchantRole(role)
  return (
    <Modal
      open
      title={props.title}
      okText={props.title}
      confirmLoading={props.isBusy}
      onOk={() => form.submit()}
      onCancel={props.onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(values) =>
          props.onSend({ ...values, mch_no: merchantOfNew(values.role, props.mchNo, values.mch_no) })
        }
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
