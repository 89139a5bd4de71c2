/** Asks for the password, and for the second factor where there is one, before what an open session alone may not do. */
import type { PasskeyOptions, ProofAsk, Session } from '@acopay/protocol/console'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Form, Input, Modal } from 'antd'
import { useEffect, useState } from 'react'
import { call, proof } from './api.ts'
import { useSays } from './parts.tsx'
import { signWithPasskey } from './passkey.ts'
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
    mutationFn: async ({ asked, isByPasskey }: { asked: ProofAsk; isByPasskey: boolean }) =>
      call('POST', 'session/proof', isByPasskey ? { ...asked, passkey: await signedProof() } : asked),
    onSuccess: () => end(true),
  })
  const byPasskey = async (): Promise<void> => {
    const asked = await form.validateFields(['password']).catch(() => null)
    if (asked !== null) send.mutate({ asked, isByPasskey: true })
  }
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
      <Form
        // The page below may have a field of the same name; a label leads to one of them only.
        name="proof"
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(asked: ProofAsk) => send.mutate({ asked, isByPasskey: false })}
      >
        <Form.Item name="password" label={t('password')} rules={needed}>
          <Input.Password autoComplete="current-password" visibilityToggle={false} autoFocus />
        </Form.Item>
        {(who.totp_enabled || who.passkeys > 0) && (
          <Form.Item name="code" label={t(who.totp_enabled ? 'code' : 'recoveryCode')} rules={needed}>
            <Input autoComplete="one-time-code" maxLength={20} />
          </Form.Item>
        )}
        <div className="buttons">
          {who.passkeys > 0 && who.may_use_passkeys && (
            <Button type="primary" loading={send.isPending} onClick={() => void byPasskey()}>
              {t('usePasskey')}
            </Button>
          )}
          <Button type={who.passkeys > 0 ? 'default' : 'primary'} htmlType="submit" loading={send.isPending}>
            {t('goOn')}
          </Button>
        </div>
      </Form>
    </Modal>
  )
}

const signedProof = async () => signWithPasskey(await call<PasskeyOptions>('POST', 'session/proof/challenge', {}))
