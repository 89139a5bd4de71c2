/** Recovery codes are shown once, and the page goes on when the user has kept them. */
import { Alert, Button } from 'antd'
import { queries, session } from '../../api.ts'
import { Mono } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

export function RecoveryCodesOnce({ codes, text }: { codes: string[]; text: string }) {
  const { t } = usePreferences()
  return (
    <>
      <Alert type="success" showIcon title={text} style={{ marginBottom: 12 }} />
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <Mono>{code}</Mono>
          </li>
        ))}
      </ul>
      <Button type="primary" onClick={() => void queries.invalidateQueries(session)}>
        {t('codesKept')}
      </Button>
    </>
  )
}
