/** TypeScript types that openapi-typescript generates of the document compile, and a program that uses them does too. */
import '../../../../test/support/only-long.ts'
import '../../../../test/support/slow.ts'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { openApi } from '../openapi.ts'

/** A program of a merchant, in terms of the generated types alone. */
const PROGRAM = `
import type { components, operations, webhooks } from './types'

type Schemas = components['schemas']

const order: Schemas['PlaceOrderRequest'] = {
  app_no: 'APP1',
  mch_trade_no: 'order-2026-000000000000000001',
  description: 'tea',
  amount_total: '12.50',
  amount_currency: 'CNY',
}

type Closed = operations['closeOrder']['responses'][200]['content']['application/json']
export function isClosed(answer: Closed): boolean {
  if (answer.status !== 200) throw new Error(answer.message + (answer.fieldErrors satisfies string))
  return answer.data.code === 'SUCCESS'
}

export const query: operations['getBill']['parameters']['query'] = { bill_date: '2026-01-31' }
export const hear = ({ code }: webhooks['payment']['post']['requestBody']['content']['application/json']) => code
export default order
`

const generated = async (): Promise<string> =>
  astToString(await openapiTS(openApi('https://pay.example.com') as OpenAPI3, { silent: true }))

/** What the compiler says of these files, in its strictest mode. */
function problemsOf(files: Record<string, string>): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => name in files || fileExists(name)
  host.readFile = (name) => files[name] ?? readFile(name)
  host.getSourceFile = (name, ...more) =>
    files[name] === undefined
      ? getSourceFile(name, ...more)
      : ts.createSourceFile(name, files[name], ts.ScriptTarget.ES2022, true)
  return ts
    .getPreEmitDiagnostics(ts.createProgram(Object.keys(files), options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}

// The compiler reads the whole library of the language, which takes longer than most unit tests together.
it('of the document compile, tell results from refusals, and refuse a wrong field', async () => {
  const types = await generated()
  expect(problemsOf({ '/types.ts': types, '/program.ts': PROGRAM })).toEqual([])
  const wrong = PROGRAM.replace("code === 'SUCCESS'", "code === 'CLOSED'").replace('app_no:', 'app_number:')
  expect(problemsOf({ '/types.ts': types, '/program.ts': wrong })).toHaveLength(2)
}, 300_000)
