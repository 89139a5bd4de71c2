/** Before each request: new numbers for those that need one, and the four signature headers. */
const hex = (digits) => Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('')
pm.variables.set('new_number', `pm${hex(30)}`)

const filled = (text) => pm.variables.replaceIn(text ?? '')

/** Postman sends a plus sign as it is written, which the gateway reads as a blank. */
function decoded(text) {
  const plain = filled(text).replace(/\+/g, ' ')
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

function paramsOf({ method, url, body }) {
  if (method !== 'GET') return JSON.parse(filled(body.raw))
  const params = {}
  for (const { key, value, disabled } of url.query.all()) if (!disabled) params[decoded(key)] = decoded(value)
  return params
}

const isUnsigned = filled(pm.request.url.toString()).includes('/cashier/')
const privateKey = filled('{{mch_private_key}}')
if (!isUnsigned) {
  const headers = { mch_no: filled('{{mch_no}}'), nonce: hex(32), sign_type: SIGN_TYPE }
  const text = requestText(paramsOf(pm.request), headers)
  console.log(`待签文本 signed text: ${text}`)
  const values = { ...headers, sign: sign(text, privateKey) }
  for (const [name, value] of Object.entries(values)) {
    pm.request.headers.upsert({ key: `x-acopay-${name.replace('_', '-')}`, value })
  }
}
