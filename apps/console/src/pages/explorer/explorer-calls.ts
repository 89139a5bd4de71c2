/** The calls that the explorer offers, read from the OpenAPI document, and what their forms start with. */

type Schema = { maxLength?: number; pattern?: string; description?: string }
type Operation = {
  summary: string
  parameters: { name: string; in: string; required: boolean; schema: Schema }[]
  requestBody?: {
    content: { 'application/json': { schema: { required: string[]; properties: Record<string, Schema> } } }
  }
}
/** `servers` is set for paths at another address than the signed calls. */
type Path = { get?: Operation; post?: Operation; servers?: object[] }
export type OpenApi = { servers: { url: string }[]; paths: Record<string, Path> }

const EXAMPLES: Record<string, () => string> = {
  mch_trade_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  mch_refund_no: () => `try${crypto.randomUUID().replaceAll('-', '')}`,
  amount_total: () => '12.50',
  amount_currency: () => 'CNY',
  refund_amount: () => '12.50',
}

/** One call of the API that this page can try. */
export type Call = { key: string; method: 'get' | 'post'; path: string; operation: Operation }

export function callsOf({ paths }: OpenApi): Call[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = methods[method]
      // The calls of the payer's page are not signed, so this page has nothing to show for them.
      if (operation === undefined || methods.servers !== undefined) return []
      return [{ key: `${method} ${path}`, method, path, operation }]
    }),
  )
}

/** `post /trade` as `POST /trade`, behind what it does. */
export const labelOf = ({ operation, method, path }: Call): string =>
  `${operation.summary} · ${method.toUpperCase()} ${path}`

/** Numbers in one call's answer that the next call's form starts with. */
const KEPT = ['transaction_no', 'mch_trade_no', 'refund_no', 'mch_refund_no']
/** Numbers that are new for each form, so that a second order gets a number of its own. */
const FRESH: Record<string, string[]> = {
  'post /trade': ['mch_trade_no'],
  'post /refund': ['mch_refund_no', 'mch_trade_no'],
}

export type Field = { name: string; required: boolean; schema: Schema }

export function fieldsOf({ requestBody, parameters }: Operation): Field[] {
  const schema = requestBody?.content['application/json'].schema
  if (schema === undefined) return parameters.filter((one) => one.in === 'query')
  return Object.entries(schema.properties).map(([name, rule]) => ({
    name,
    required: schema.required.includes(name),
    schema: rule,
  }))
}

/** What the form starts with: a number from an earlier call, or an example where the call needs one. */
export function initialOf(
  { key }: Call,
  fields: Field[],
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
