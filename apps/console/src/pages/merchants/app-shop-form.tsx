/** What the payers of an app see of the shop, and where they go back to. A refused field is marked in the words of its label. */
import { type AppChange, isColor, LOGO_BYTES_MAX, type MerchantDetail, textOn } from '@acopay/protocol/console'
import { App, Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { call, queries } from '../../api.ts'
import { ApiError } from '../../api-error.ts'
import { useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

type AppRow = MerchantDetail['apps'][number]
/** `logo`: a new file in Base64, null for none; undefined while it stays. */
type Values = { name: string; return_url: string; brand_color: string; logo?: string | null }

/** A larger file is refused before it is sent. */
const BASE64_MAX = Math.ceil(LOGO_BYTES_MAX / 3) * 4

const valuesOf = ({ name, return_url, brand_color }: AppRow): Values => ({
  name,
  return_url: return_url ?? '',
  brand_color: brand_color ?? '',
})

/** Only what the user changed: a form that stayed open does not undo what others changed meanwhile. */
function changesIn(values: Values, before: Values): AppChange {
  const { logo, name } = values
  const textOrNull = (text: string): string | null => (text.trim() === '' ? null : text.trim())
  return {
    ...(name === before.name ? {} : { name }),
    ...(values.return_url === before.return_url ? {} : { return_url: textOrNull(values.return_url) }),
    ...(values.brand_color === before.brand_color ? {} : { brand_color: textOrNull(values.brand_color) }),
    ...(logo === undefined ? {} : { logo }),
  }
}

export function AppShopForm({ of, path, onClose }: { of: AppRow; path: string; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [form] = Form.useForm<Values>()
  const [isSaving, setSaving] = useState(false)
  const save = async (values: Values): Promise<void> => {
    setSaving(true)
    try {
      const body = changesIn(values, valuesOf(of))
      if (Object.keys(body).length > 0) await call('PUT', `${path}/apps/${of.app_no}`, body)
      void message.success(t('saved'))
      onClose()
    } catch (error) {
      const field = error instanceof ApiError ? error.failure?.field : undefined
      if (field === undefined) void message.error(says(error))
      else form.setFields([{ name: field as keyof Values, errors: [says(error)] }])
    } finally {
      setSaving(false)
      void queries.invalidateQueries({ queryKey: [path] })
    }
  }
  return (
    <Modal
      open
      title={`${t('shopOfApp')}: ${of.app_no}`}
      okText={t('save')}
      confirmLoading={isSaving}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <p className="note">{t('shopOfAppSay')}</p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={valuesOf(of)}
        onFinish={(values) => void save(values)}
      >
        <Form.Item name="name" label={t('appName')} rules={[{ required: true, max: 64, message: t('needed') }]}>
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="return_url" label={t('returnUrl')} extra={t('returnUrlSay')}>
          <Input placeholder="https://shop.example.com/orders" />
        </Form.Item>
        <Form.Item name="brand_color" label={t('brandColor')} extra={t('brandColorSay')}>
          <ColorField />
        </Form.Item>
        <Form.Item
          name="logo"
          label={t('logo')}
          extra={t('logoSay')}
          rules={[{ max: BASE64_MAX, message: t('logoSay') }]}
        >
          <LogoField stored={of.logo} />
        </Form.Item>
      </Form>
    </Modal>
  )
}

/** antd gives a field its id, its value and what is called when it changes. */
type Field<Value> = { id?: string; value?: Value; onChange?: (value: Value) => void }

/** The colour as text, and a button of that colour as payers will see it. */
function ColorField({ id, value = '', onChange }: Field<string>) {
  const { t } = usePreferences()
  const color = value.trim().toLowerCase()
  return (
    <div className="buttons">
      <Input
        {...(id === undefined ? {} : { id })}
        value={value}
        placeholder="#0b5fd3"
        style={{ width: 140 }}
        onChange={({ target }) => onChange?.(target.value)}
      />
      {isColor(color) && (
        <span className="brand-preview" style={{ background: color, color: textOn(color) }}>
          {t('shopOfApp')}
        </span>
      )}
    </div>
  )
}

function LogoField({ id, value, onChange, stored }: Field<string | null> & { stored: string | null }) {
  const { t } = usePreferences()
  const [preview, setPreview] = useState<string | null>(stored)
  const choose = (file: File | undefined): void => {
    if (file === undefined) return
    const reader = new FileReader()
    reader.onload = () => {
      const url = String(reader.result)
      setPreview(url)
      onChange?.(url.slice(url.indexOf(',') + 1))
    }
    reader.readAsDataURL(file)
  }
  const isThere = value === undefined ? stored !== null : value !== null
  return (
    <div className="buttons">
      {isThere && preview !== null ? (
        <img className="logo-preview" src={preview} alt={t('logo')} width={40} height={40} />
      ) : (
        <span className="note">{t('noLogo')}</span>
      )}
      <input
        {...(id === undefined ? {} : { id })}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        onChange={({ target }) => choose(target.files?.[0])}
      />
      {isThere && (
        <Button size="small" onClick={() => onChange?.(null)}>
          {t('removeLogo')}
        </Button>
      )}
    </div>
  )
}
