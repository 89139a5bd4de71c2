/** The OpenAPI document under Redocly's recommended rules, none of which is switched off. */
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, it } from 'vitest'
import { openApi } from '../openapi.ts'

const problemsOf = async (document: object): Promise<string[]> => {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  return problems.map(({ severity, ruleId, location, message }) =>
    [severity, ruleId, location[0]?.pointer, message].join(' '),
  )
}

it.each(['', 'https://pay.shop.test'])(
  'has no errors and no warnings, served at the address "%s"',
  async (serverUrl) => {
    expect(await problemsOf(openApi(serverUrl))).toEqual([])
  },
)

it('would have one for a call without a security scheme', async () => {
  const document = openApi('') as { components: { securitySchemes?: object } }
  delete document.components.securitySchemes
  expect((await problemsOf(document)).join()).toContain('security-defined')
})
