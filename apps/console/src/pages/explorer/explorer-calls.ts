/** The calls that the explorer offers, read from the OpenAPI document, and what their forms start with. */
import type { Language } from '../../preferences.tsx'

type Schema = { maxLength?: number; pattern?: string; description?: string }
type Parameter = { name: string; in: string; required: boolean; schema: Schema; description?: string }
type Ref = { $ref: string }
type Operation = {
  operationId: string
  summary: string
  security: object[]
  parameters?: (Parameter | Ref)[]
  requestBody?: { content: { 'application/json': { schema: Ref } } }
}
type Path = { get?: Operation; post?: Operation }
export type OpenApi = {
  servers: { url: string }[]
  paths: Record<string, Path>
  components: { schemas: Record<string, { required?: string[]; properties?: Record<string, Schema> }> }
}

const EXAMPLES: Record<string, () => string> = {
  mch_trade_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  mch_refund_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  amount_total: () => '12.50',
  amount_currency: () => 'CNY',
  refund_amount: () => '12.50',
}

/** One field of a call's form. `says` is in both languages. */
export type Field = { name: string; required: boolean; maxLength?: number; says?: string }

/** One call of the API that this page can try. */
export type Call = { key: string; method: 'get' | 'post'; path: string; title: string; fields: Field[] }

export function callsOf(document: OpenApi): Call[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = methods[method]
      // The calls of the payer's page are not signed, so this page has nothing to show for them.
      if (operation === undefined || operation.security.length === 0) return []
      const { operationId: key, summary: title } = operation
      return [{ key, method, path, title, fields: fieldsOf(document, operation) }]
    }),
  )
}

/** The document's titles are `中文 · English`. */
const titleIn = (title: string, language: Language): string => partIn(title.split(' · '), language)

/** The document's descriptions are a paragraph of each language. */
export const textIn = (text: string, language: Language): string => partIn(text.split('\n\n'), language)

const partIn = ([zh = '', en = zh]: string[], language: Language): string => (language === 'zh' ? zh : en)

/** What a call does, before its method and path. */
export const labelOf = ({ title, method, path }: Call, language: Language): string =>
  `${titleIn(title, language)} · ${method.toUpperCase()} ${path}`

/** Numbers in one call's answer that the next call's form starts with. */
const KEPT = ['transaction_no', 'mch_trade_no', 'refund_no', 'mch_refund_no']
/** Numbers that are new for each form, so that a second order gets a number of its own. */
const FRESH: Record<string, string[]> = {
  placeOrder: ['mch_trade_no'],
  refundOrder: ['mch_refund_no', 'mch_trade_no'],
}

function fieldsOf({ components }: OpenApi, { requestBody, parameters = [] }: Operation): Field[] {
  const ref = requestBody?.content['application/json'].schema.$ref
  const schema = ref === undefined ? undefined : components.schemas[ref.slice(ref.lastIndexOf('/') + 1)]
  if (schema === undefined) {
    const inQuery = parameters.filter((one): one is Parameter => 'in' in one && one.in === 'query')
    return inQuery.map(({ name, required, schema: rule, description }) => fieldOf(name, required, rule, description))
  }
  return Object.entries(schema.properties ?? {}).map(([name, rule]) =>
    fieldOf(name, schema.required?.includes(name) ?? false, rule, rule.description),
  )
}

const fieldOf = (name: string, required: boolean, { maxLength }: Schema, says: string | undefined): Field => ({
  name,
  required,
  ...(maxLength === undefined ? {} : { maxLength }),
  ...(says === undefined ? {} : { says }),
})

/** What the form starts with: a number from an earlier call, or an example where the call needs one. */
export function initialOf(
  { key, fields }: Pick<Call, 'key' | 'fields'>,
  known: Record<string, string>,
): Record<string, string | undefined> {
  const fresh = FRESH[key] ?? []
  const initial = ({ name, required }: Field): string | undefined => {
    const example = required ? EXAMPLES[name]?.() : undefined
    return fresh.includes(name) && required ? example : known[name] || example
  }
  return Object.fromEntries(fields.map((field) => [field.name, initial(field)]))
}

export const given = (params: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''),
  )

/** The numbers in an answer that are kept for the next call. */
export const numbersIn = (data: Record<string, unknown> | null): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data ?? {}).filter(
      (pair): pair is [string, string] => KEPT.includes(pair[0]) && typeof pair[1] === 'string',
    ),
  )
