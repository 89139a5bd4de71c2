/** Merchants: the list, and adding one. */
import type { MerchantDetail, MerchantRow, NewMerchant } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { App, Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { call, session } from '../../api.ts'
import { when } from '../../format.ts'
import { ListPage } from '../../list-page.tsx'
import { Mono, State, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

export const MerchantLink = ({ mch_no }: { mch_no: string }) => (
  <Link to={'/merchants/$mchNo' as never} params={{ mchNo: mch_no } as never}>
    <Mono>{mch_no}</Mono>
  </Link>
)

export function Merchants() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const [isAdding, setAdding] = useState(false)
  return (
    <>
      <ListPage<MerchantRow>
        title="merchants"
        path="merchants"
        filters={[{ name: 'search', text: 'numberOrName' }]}
        hasFile
        keyOf={(row) => row.mch_no}
        actions={() =>
          who?.mch_no === null &&
          who.permissions.includes('merchants.write') && (
            <div className="buttons">
              <Button type="primary" onClick={() => setAdding(true)}>
                {t('addMerchant')}
              </Button>
            </div>
          )
        }
        columns={[
          {
            text: 'merchantNo',
            show: (row) => <MerchantLink {...row} />,
          },
          { text: 'name', show: (row) => row.name, isText: true },
          { text: 'state', show: (row) => <State of={row.enabled ? 'in_use' : 'disabled'} /> },
          { text: 'apps', show: (row) => row.apps },
          { text: 'keys', show: (row) => row.keys },
          { text: 'createdAt', show: (row) => when(row.created_at) },
        ]}
      />
      {isAdding && <AddMerchant onClose={() => setAdding(false)} />}
    </>
  )
}

function AddMerchant({ onClose }: { onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const navigate = useNavigate()
  const [form] = Form.useForm<NewMerchant>()
  const add = useMutation({
    mutationFn: (asked: NewMerchant) => call<MerchantDetail>('POST', 'merchants', asked),
    onSuccess: ({ mch_no }) => navigate({ to: '/merchants/$mchNo' as never, params: { mchNo: mch_no } as never }),
    onError: (error) => void message.error(says(error)),
  })
  return (
    <Modal
      open
      title={t('addMerchant')}
      okText={t('addMerchant')}
      confirmLoading={add.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => add.mutate(values)}>
        <Form.Item
          name="mch_no"
          label={t('merchantNo')}
          rules={[{ required: true, pattern: NUMBER, message: t('numberRule') }]}
        >
          <Input />
        </Form.Item>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, max: 64, message: t('needed') }]}>
          <Input maxLength={64} />
        </Form.Item>
      </Form>
    </Modal>
  )
}

export const NUMBER = /^[0-9A-Za-z_-]{1,32}$/
