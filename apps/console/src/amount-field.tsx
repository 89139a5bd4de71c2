/** The field for an amount in yuan, in every form that asks for one. The server checks the amount again. */
import { Form, Input } from 'antd'
import { usePreferences } from './preferences.tsx'

export function AmountField() {
  const { t } = usePreferences()
  return (
    <Form.Item
      name="amount"
      label={t('amount')}
      rules={[{ required: true, pattern: /^\d{1,6}\.\d{2}$/, message: t('amountRule') }]}
    >
      <Input inputMode="decimal" />
    </Form.Item>
  )
}
