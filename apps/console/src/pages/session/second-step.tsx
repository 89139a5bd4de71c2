/** The second step of signing in. */
import type { SecondFactor } from '@acopay/protocol/console'
import { Button, Form, Input } from 'antd'
import { usePreferences } from '../../preferences.tsx'

/** A passkey where there is one that is good here, and a code. */
export function SecondStep(props: { of: SecondFactor; isBusy: boolean; byPasskey: () => Promise<void> }) {
  const { t } = usePreferences()
  const { totp, passkey } = props.of
  return (
    <>
      {passkey !== null && (
        <Form.Item>
          <Button type="primary" block loading={props.isBusy} onClick={() => void props.byPasskey()}>
            {t('usePasskey')}
          </Button>
        </Form.Item>
      )}
      <Form.Item
        name="totp"
        label={t(totp ? 'code' : 'recoveryCode')}
        rules={[{ required: true, message: t('needed') }]}
      >
        <Input autoComplete="one-time-code" maxLength={20} {...(totp ? { placeholder: t('codeOrRecovery') } : {})} />
      </Form.Item>
    </>
  )
}
