/** Asks for the password, and for a code where an authenticator is on, before what an open session alone may not do. */
import type { ProofAsk, Session } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Modal } from 'antd'
import { useEffect, useState } from 'react'
import { call, proof } from './api.ts'
import { useSays } from './parts.tsx'
import { usePreferences } from './preferences.tsx'

/** The question that led here may still be open. */
const ABOVE_OTHERS = 2000

export function ProofDialog({ who }: { who: Session }) {
  const { t } = usePreferences()
  const says = useSays()
  const [answer, setAnswer] = useState<((isProven: boolean) => void) | null>(null)
  const [form] = Form.useForm<ProofAsk>()
  useEffect(() => {
    proof.ask = () => new Promise((resolve) => setAnswer(() => resolve))
    return () => {
      proof.ask = async () => false
    }
  }, [])
  const end = (isProven: boolean): void => {
    form.resetFields()
    send.reset()
    answer?.(isProven)
    setAnswer(null)
  }
  const send = useMutation({
    mutationFn: (asked: ProofAsk) => call('POST', 'session/proof', asked),
    onSuccess: () => end(true),
  })
  const needed = [{ required: true, message: t('needed') }]
  return (
    <Modal
      open={answer !== null}
      title={t('proveAgain')}
      onCancel={() => end(false)}
      footer={null}
      destroyOnHidden
      zIndex={ABOVE_OTHERS}
    >
      <p className="note">{t('proveWhy')}</p>
      {send.error !== null && <Alert type="error" showIcon title={says(send.error)} style={{ marginBottom: 12 }} />}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(asked: ProofAsk) => send.mutate(asked)}>
        <Form.Item name="password" label={t('password')} rules={needed}>
          <Input.Password autoComplete="current-password" visibilityToggle={false} autoFocus />
        </Form.Item>
        {who.totp_enabled && (
          <Form.Item name="code" label={t('code')} rules={needed}>
            <Input autoComplete="one-time-code" maxLength={20} />
          </Form.Item>
        )}
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t('goOn')}
        </Button>
      </Form>
    </Modal>
  )
}
