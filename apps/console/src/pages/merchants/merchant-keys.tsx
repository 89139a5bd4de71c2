/**
 * A merchant's public keys. A new key and the old ones overlap; ending a key takes effect at once. A private key that the
 * gateway made is shown once.
 */
import type { MadeKey, MerchantDetail } from '@acopay/protocol/console'
import { App, Button, Form, Input, InputNumber, Modal } from 'antd'
import { useState } from 'react'
import { gatewayMs } from '../../api.ts'
import { when } from '../../format.ts'
import { Mono, Rows } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { useChange } from './use-change.ts'

export function Keys({ merchant, path, mayWrite }: { merchant: MerchantDetail; path: string; mayWrite: boolean }) {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const change = useChange(path)
  const end = (key_id: string): void => {
    const onOk = () => change.mutateAsync({ method: 'DELETE', to: `/keys/${key_id}`, body: {} }).catch(() => {})
    void modal.confirm({ title: `${t('endKey')}: ${key_id}`, content: t('endKeyAsk'), okText: t('endKey'), onOk })
  }
  return (
    <>
      <Rows
        label={t('keys')}
        rows={merchant.keys}
        keyOf={(one) => one.key_id}
        columns={[
          { text: 'keyId', show: (one) => <Mono>{one.key_id}</Mono> },
          { text: 'fingerprint', show: (one) => <Mono>{one.fingerprint.slice(0, 32)}…</Mono> },
          { text: 'bits', show: (one) => one.bits },
          { text: 'validFrom', show: (one) => when(one.valid_from) },
          { text: 'validUntil', show: (one) => when(one.valid_until) },
          {
            text: 'actions',
            show: (one) =>
              mayWrite &&
              (one.valid_until === null || Date.parse(one.valid_until) > gatewayMs()) && (
                <Button size="small" onClick={() => end(one.key_id)} aria-label={`${t('endKey')} ${one.key_id}`}>
                  {t('endKey')}
                </Button>
              ),
          },
        ]}
      />
      {mayWrite && <AddKey change={change} />}
    </>
  )
}

/** A key that the merchant made, or a pair that the gateway makes; its private key is shown once. */
function AddKey({ change }: { change: ReturnType<typeof useChange> }) {
  const { t } = usePreferences()
  const { modal } = App.useApp()
  const [made, setMade] = useState<string | null>(null)
  const [form] = Form.useForm<{ public_key: string; overlap_hours: number }>()
  const add = (body: object): void =>
    change.mutate(
      { method: 'POST', to: '/keys', body },
      {
        onSuccess: (answer) => {
          form.resetFields()
          setMade((answer as MadeKey).private_key)
        },
      },
    )
  const generate = (): void => {
    const overlap_hours = form.getFieldValue('overlap_hours') ?? 24
    const onOk = () => add({ generate: true, overlap_hours })
    void modal.confirm({ title: t('generateKey'), content: t('generateAsk'), okText: t('generateKey'), onOk })
  }
  return (
    <>
      <Form
        form={form}
        layout="vertical"
        className="panel below"
        requiredMark={false}
        initialValues={{ overlap_hours: 24 }}
        onFinish={add}
      >
        <Form.Item name="public_key" label={t('publicKey')} rules={[{ required: true, message: t('needed') }]}>
          <Input.TextArea rows={4} className="mono" />
        </Form.Item>
        <Form.Item name="overlap_hours" label={t('overlap')} rules={[{ required: true, message: t('needed') }]}>
          <InputNumber min={0} max={720} />
        </Form.Item>
        <div className="buttons">
          <Button htmlType="submit" loading={change.isPending}>
            {t('addKey')}
          </Button>
          <Button onClick={generate}>{t('generateKey')}</Button>
        </div>
      </Form>
      {made !== null && <PrivateKey text={made} onClose={() => setMade(null)} />}
    </>
  )
}

function PrivateKey({ text, onClose }: { text: string; onClose: () => void }) {
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
      title={t('privateKey')}
      okText={t('copy')}
      cancelText={t('savedIt')}
      onOk={copy}
      onCancel={onClose}
      // The key is shown only once, so only the button closes this window: no Escape key and no click beside it.
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
    >
      <p>{t('privateKeySays')}</p>
      <Input.TextArea aria-label={t('privateKey')} readOnly rows={8} value={text} className="mono" />
    </Modal>
  )
}
