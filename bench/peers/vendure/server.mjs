/**
 * Vendure as its own documentation sets it up, with one product: its administrator places orders that wait for a payment, and cancels
 * them. Says where it listens, with the ids and the token that its callers need.
 */
import { bootstrap, dummyPaymentHandler, NoopLogger } from '@vendure/core'
import { populateInitialData } from '@vendure/core/cli/index.js'

const { hostname: host, port, username, pathname } = new URL(process.env.DATABASE_URL)
const IDENTIFIER = 'superadmin'
const PASSWORD = process.env.PEER_PASSWORD

const app = await bootstrap({
  apiOptions: { hostname: '127.0.0.1', port: 0, adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: 'bearer',
    superadminCredentials: { identifier: IDENTIFIER, password: PASSWORD },
    cookieOptions: { secret: PASSWORD },
  },
  dbConnectionOptions: {
    type: 'postgres',
    host: decodeURIComponent(host),
    port: Number(port),
    username,
    database: pathname.slice(1),
    synchronize: true,
    poolSize: 16,
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new NoopLogger(),
})
await populateInitialData(app, {
  defaultLanguage: 'en',
  defaultZone: 'Asia',
  countries: [{ name: 'China', code: 'CN', zone: 'Asia' }],
  taxRates: [{ name: 'Standard', percentage: 0 }],
  shippingMethods: [{ name: 'Standard', price: 0 }],
  paymentMethods: [
    {
      name: 'Dummy',
      handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] },
    },
  ],
  collections: [],
})
const url = `${await app.getUrl()}/admin-api`.replace('[::1]', '127.0.0.1')
let token = ''

async function ask(query, variables = {}) {
  const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  token = response.headers.get('vendure-auth-token') ?? token
  const { data, errors } = await response.json()
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  return data
}

await ask('mutation($u: String!, $p: String!) { login(username: $u, password: $p, rememberMe: true) { __typename } }', {
  u: IDENTIFIER,
  p: PASSWORD,
})
const words = (name) => [{ languageCode: 'en', name, slug: 'thing', description: '' }]
const { createProduct } = await ask('mutation($i: CreateProductInput!) { createProduct(input: $i) { id } }', {
  i: { translations: words('Thing') },
})
const variant = {
  productId: createProduct.id,
  sku: 'thing',
  price: 1250,
  trackInventory: 'FALSE',
  translations: [{ languageCode: 'en', name: 'Thing' }],
}
const { createProductVariants } = await ask(
  'mutation($i: [CreateProductVariantInput!]!) { createProductVariants(input: $i) { id } }',
  { i: [variant] },
)
const { createCustomer } = await ask(
  'mutation($i: CreateCustomerInput!) { createCustomer(input: $i) { ... on Customer { id } } }',
  { i: { firstName: 'A', lastName: 'Payer', emailAddress: 'payer@example.com' } },
)
const { shippingMethods } = await ask('{ shippingMethods { items { id } } }')
console.log(
  JSON.stringify({
    url,
    token,
    variant: createProductVariants[0].id,
    customer: createCustomer.id,
    shipping: shippingMethods.items[0].id,
  }),
)
app.getHttpServer().keepAliveTimeout = 120_000
process.on('SIGTERM', () => process.exit(0))
