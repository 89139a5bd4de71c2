/**
 * Who may do what at the console: every endpoint for every role, with the own and with another merchant, with and without the
 * token of our pages, and by every method. All tables are written by hand from docs/console.md, none from the code.
 */
import { ALLOWED, PERMISSIONS, type Permission, ROLES, type Role, type Session } from '@acopay/protocol/console'
import { addApp, addMerchant } from '@acopay/store'
import { addConsoleUser } from '@acopay/store/console'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { invite } from '../apps/server/src/actions/console/invitations.ts'
import { beginSession } from '../apps/server/src/actions/console/session.ts'
import { closeOrder } from '../apps/server/src/actions/order/close-order.ts'
import { placeOrder } from '../apps/server/src/actions/order/place-order.ts'
import { consoleClient } from './support/console.ts'
import { PASSWORD_HASH } from './support/passwords.ts'
import { routesOf } from './support/routes.ts'
import { inBatches, wrongRows } from './support/tables.ts'
import { type TestWorld, testWorld } from './support/world.ts'

/**
 * The columns: the permission, and the answers to platform_admin, operator, finance, merchant_admin and merchant_viewer; then
 * to the last two when the merchant is not theirs. `no` is 403 FORBIDDEN, `.` a call that names no merchant. `:m` is the merchant,
 * `:o` a closed order of it, `:x` an order of the other merchant, `:u` a user of the merchant. The platform's users are answered
 * the same for both merchants.
 */
const TABLE = `
call                                             permission             P   O   F   A   V   a*  v*  body
DELETE session                                   -                      200 200 200 200 200 .   .
PUT    session/password                          -                      400 400 400 400 400 .   .   {}
POST   session/proof                             -                      400 400 400 400 400 .   .   {}
POST   session/totp                              -                      400 400 400 400 400 .   .   {}
PUT    session/totp                              -                      400 400 400 400 400 .   .   {}
DELETE session/totp                              -                      400 400 400 400 400 .   .   {}
GET    sessions                                  -                      200 200 200 200 200 .   .
DELETE sessions/0123456789abcdef                 -                      404 404 404 404 404 .   .
GET    passkeys                                  -                      200 200 200 200 200 .   .
POST   passkey-challenge                         -                      409 409 409 409 409 .   .   {}
POST   passkeys                                  -                      409 409 409 409 409 .   .   {}
DELETE passkeys/0123456789abcdef                 -                      404 404 404 404 404 .   .
POST   session/proof/challenge                   -                      409 409 409 409 409 .   .   {}

GET    session/provider                          -                      200 200 200 200 200 .   .
POST   session/provider                          -                      404 404 404 404 404 .   .   {}
DELETE session/provider                          -                      200 200 200 200 200 .   .

GET    orders                                    orders.read            200 200 200 200 200 .   .
GET    orders?mch_no=:m                          orders.read            200 200 200 200 200 no  no
GET    orders?mch_no=:m&number=:o                orders.read            200 200 200 200 200 no  no
GET    orders.csv                                orders.read            200 200 200 200 200 .   .
GET    orders.csv?mch_no=:m                      orders.read            200 200 200 200 200 no  no
GET    orders/:m/:o                              orders.read            200 200 200 200 200 no  no
GET    orders/:m/:o/evidence                     orders.read            200 200 200 200 200 no  no
GET    orders/:m/:o/evidence.html                orders.read            200 200 200 200 200 no  no
GET    orders/:m/:x/evidence.html                orders.read            404 404 404 404 404 no  no
POST   orders/:m/:o/notes                        orders.note            200 200 200 no  no  no  no   {"note":"x"}
POST   orders/:m/:o/notes                        orders.note            400 400 400 no  no  no  no   {}
POST   orders/:m/:x/notes                        orders.note            404 404 404 no  no  no  no   {"note":"x"}
PUT    orders/:m/:o/tags                         orders.note            200 200 200 no  no  no  no   {"tags":["x"]}
PUT    orders/:m/:x/tags                         orders.note            404 404 404 no  no  no  no   {"tags":["x"]}
GET    bulk/preview?operation=close&numbers=:o   orders.read            200 200 200 200 200 200 200
GET    bulk/requests                             orders.read            200 200 200 200 200 .   .
POST   bulk/requests/none                        orders.close           404 404 no  404 no  .   .   {}
DELETE bulk/requests/none                        orders.close           404 404 no  404 no  .   .
POST   bulk/close                                orders.close           200 200 no  200 no  no  no   {"orders":[{"mch_no":":m","transaction_no":":o"}]}
POST   bulk/resend                               notifications.resend   200 200 no  200 no  no  no   {"orders":[{"mch_no":":m","transaction_no":":o"}]}
GET    sent-back                                 orders.read            200 200 200 200 200 .   .
GET    sent-back?mch_no=:m                       orders.read            200 200 200 200 200 no  no
GET    figures                                   orders.read            200 200 200 200 200 .   .
GET    figures?mch_no=:m                         orders.read            200 200 200 200 200 no  no
GET    figures.csv                               orders.read            200 200 200 200 200 .   .
GET    figures.csv?mch_no=:m                     orders.read            200 200 200 200 200 no  no
POST   orders/:m/:o/close                        orders.close           200 200 no  200 no  no  no   {}
GET    orders/:m/:x                              orders.read            404 404 404 404 404 no  no
GET    orders/:m/:x/evidence                     orders.read            404 404 404 404 404 no  no
POST   orders/:m/:x/close                        orders.close           404 404 no  404 no  no  no   {}
POST   orders/:m/:x/refunds                      refunds.create         404 404 404 404 no  no  no   {}
POST   orders/:m/:o/refunds                      refunds.create         400 400 400 400 no  no  no   {}
POST   orders/:m/:o/refunds                      refunds.create         409 409 409 409 no  no  no   {"mch_refund_no":"refund-of-the-table-0000001","amount":"1.00","reason":"x"}
GET    refunds                                   orders.read            200 200 200 200 200 .   .
GET    refunds?mch_no=:m                         orders.read            200 200 200 200 200 no  no
GET    reversals                                 orders.read            200 200 200 200 200 .   .
GET    reversals?mch_no=:m                       orders.read            200 200 200 200 200 no  no
POST   reversals/settle                          reconciliation.settle  404 no  404 no  no  no  no   {"mch_no":":m","refund_no":"AR1","note":"x"}
GET    overview                                  orders.read            200 200 200 200 200 .   .
GET    overview?mch_no=:m                        orders.read            200 200 200 200 200 no  no
GET    jobs                                      orders.read            200 200 200 200 200 .   .
GET    jobs?mch_no=:m                            orders.read            200 200 200 200 200 no  no

GET    notifications                             notifications.read     200 200 200 200 200 .   .
GET    notifications?mch_no=:m                   notifications.read     200 200 200 200 200 no  no
GET    notifications?transaction_no=:o           notifications.read     200 200 200 200 200 200 200
GET    notifications/dead                        notifications.read     400 400 400 200 200 .   .
GET    notifications/dead?mch_no=:m              notifications.read     200 200 200 200 200 no  no
GET    notifications/:m/:o/1/tries               notifications.read     200 200 200 200 200 no  no
POST   notifications/resend                      notifications.resend   200 200 no  200 no  no  no   {"mch_no":":m","transaction_no":":o"}
POST   notifications/resend                      notifications.resend   404 404 no  404 no  no  no   {"mch_no":":m","transaction_no":":x"}
POST   notifications/resend                      notifications.resend   200 200 no  200 no  no  no   {"mch_no":":m","dead":true}

GET    bills                                     bills.read             200 200 200 200 200 .   .
GET    bills?mch_no=:m                           bills.read             200 200 200 200 200 no  no
GET    bills/:m/2026-02-28/link                  bills.read             404 404 404 404 404 no  no
GET    bills/:m/2026-02-28/comparison            reconciliation.read    404 404 404 no  no  no  no
GET    reconciliations                           reconciliation.read    200 200 200 no  no  .   .
GET    reconciliations?mch_no=:m                 reconciliation.read    200 200 200 no  no  no  no
GET    differences                               reconciliation.read    200 200 200 no  no  .   .
GET    differences?mch_no=:m                     reconciliation.read    200 200 200 no  no  no  no
GET    unmatched-payments                        reconciliation.read    200 200 200 no  no  .   .
GET    unmatched-payments?mch_no=:m              reconciliation.read    200 200 200 no  no  no  no
POST   differences/settle                        reconciliation.settle  409 no  409 no  no  no  no   {"mch_no":":m","channel":"wechat","day":"2026-02-28","kind":"PAYMENT_MISSING","note":"x"}
POST   unmatched-payments/settle                 reconciliation.settle  409 no  409 no  no  no  no   {"mch_no":":m","channel":"wechat","note":"x"}

GET    merchants                                 merchants.read         200 200 200 200 200 .   .
GET    merchants/:m                              merchants.read         200 200 200 200 200 no  no
POST   merchants                                 merchants.write        409 no  no  no  no  no  no   {"mch_no":":m","name":"x"}
PUT    merchants/:m                              merchants.write        200 no  no  200 no  no  no   {}
PUT    merchants/:m                              merchants.write        200 no  no  200 no  no  no   {"allowed_ips":[]}
PUT    merchants/:m                              merchants.write        200 no  no  no  no  no  no   {"name":"又名"}
PUT    merchants/:m                              merchants.write        200 no  no  no  no  no  no   {"enabled":true}
PUT    merchants/:m                              merchants.write        200 no  no  no  no  no  no   {"rate_per_second":null}
POST   merchants/:m/apps                         merchants.write        409 no  no  409 no  no  no   {"app_no":"APP-OF-TABLE","name":"x"}
PUT    merchants/:m/apps/APP-OF-TABLE            merchants.write        200 no  no  200 no  no  no   {"name":"x"}
PUT    merchants/:m/apps/APP-OF-TABLE            merchants.write        200 no  no  200 no  no  no   {"return_url":null}
PUT    merchants/:m/apps/APP-OF-TABLE            merchants.write        400 no  no  400 no  no  no   {"logo":"PHN2Zz4="}
PUT    merchants/:m/apps/APP404                  merchants.write        404 no  no  404 no  no  no   {"name":"x"}
POST   merchants/:m/keys                         merchants.write        400 no  no  400 no  no  no   {}
DELETE merchants/:m/keys/NOKEY                   merchants.write        404 no  no  404 no  no  no
PUT    merchants/:m/channels/wechat              channels.write         400 no  no  no  no  no  no   {}
POST   merchants/:m/channels/unionpay/test       channels.write         404 no  no  no  no  no  no   {}

GET    users                                     users.read             200 no  no  200 no  .   .
POST   users                                     users.write            400 no  no  400 no  .   .    {}
POST   users                                     users.write            409 no  no  409 no  no  no   {"username":"viewer","role":"merchant_viewer","mch_no":":m"}
POST   users                                     users.write            409 no  no  no  no  .   .    {"username":"viewer","role":"platform_admin"}
PUT    users/:u                                  users.write            200 no  no  200 no  404 no   {}
PUT    users/operator                            users.write            200 no  no  404 no  .   .    {}
GET    invitations                               users.read             200 no  no  200 no  .   .
POST   invitations                               users.write            400 no  no  400 no  .   .    {}
POST   invitations                               users.write            409 no  no  409 no  no  no   {"username":"viewer","role":"merchant_viewer","mch_no":":m"}
POST   invitations                               users.write            409 no  no  no  no  .   .    {"username":"viewer","role":"operator"}
DELETE invitations/IV404                         users.write            404 no  no  404 no  .   .
GET    audit                                     audit.read             200 200 200 200 no  .   .
GET    audit?mch_no=:m                           audit.read             200 200 200 200 no  no  no
GET    audit.jsonl                               audit.read             200 200 200 200 no  .   .
GET    audit.jsonl?mch_no=:m                     audit.read             200 200 200 200 no  no  no

GET    refund-requests                           orders.read            200 200 200 200 200 .   .
GET    refund-requests?mch_no=:m                 orders.read            200 200 200 200 200 no  no
POST   refund-requests/:m/none                   refunds.create         404 404 404 404 no  no  no   {}
DELETE refund-requests/:m/none                   refunds.create         404 404 404 404 no  no  no

GET    platform-keys                            platform_keys.write    200 no  no  no  no  .   .
POST   platform-keys                            platform_keys.write    400 no  no  no  no  .   .    {}
DELETE platform-keys/NOKEY                      platform_keys.write    404 no  no  no  no  .   .

GET    alarms                                   alarms.read            200 200 200 no  no  .   .
GET    alarm-channels                           alarms.read            200 200 200 no  no  .   .
POST   alarm-channels                           alarms.write           400 no  no  no  no  .   .    {}
PUT    alarm-channels/AC404                     alarms.write           404 no  no  no  no  .   .    {}
DELETE alarm-channels/AC404                     alarms.write           404 no  no  no  no  .   .
POST   alarm-channels/AC404/test                alarms.write           404 no  no  no  no  .   .    {}

GET    orders.xlsx                               orders.read            200 200 200 200 200 .   .
GET    orders.xlsx?mch_no=:m                     orders.read            200 200 200 200 200 no  no
GET    totals/orders                             orders.read            200 200 200 200 200 .   .
GET    totals/orders?mch_no=:m                   orders.read            200 200 200 200 200 no  no
GET    refunds.csv                               orders.read            200 200 200 200 200 .   .
GET    refunds.csv?mch_no=:m                     orders.read            200 200 200 200 200 no  no
GET    refunds.xlsx                              orders.read            200 200 200 200 200 .   .
GET    refunds.xlsx?mch_no=:m                    orders.read            200 200 200 200 200 no  no
GET    totals/refunds                            orders.read            200 200 200 200 200 .   .
GET    totals/refunds?mch_no=:m                  orders.read            200 200 200 200 200 no  no
GET    reversals.csv                             orders.read            200 200 200 200 200 .   .
GET    reversals.csv?mch_no=:m                   orders.read            200 200 200 200 200 no  no
GET    reversals.xlsx                            orders.read            200 200 200 200 200 .   .
GET    reversals.xlsx?mch_no=:m                  orders.read            200 200 200 200 200 no  no
GET    totals/reversals                          orders.read            200 200 200 200 200 .   .
GET    totals/reversals?mch_no=:m                orders.read            200 200 200 200 200 no  no
GET    notifications.csv                         notifications.read     200 200 200 200 200 .   .
GET    notifications.csv?mch_no=:m               notifications.read     200 200 200 200 200 no  no
GET    notifications.xlsx                        notifications.read     200 200 200 200 200 .   .
GET    notifications.xlsx?mch_no=:m              notifications.read     200 200 200 200 200 no  no
GET    totals/notifications                      notifications.read     200 200 200 200 200 .   .
GET    totals/notifications?mch_no=:m            notifications.read     200 200 200 200 200 no  no
GET    bills.csv                                 bills.read             200 200 200 200 200 .   .
GET    bills.csv?mch_no=:m                       bills.read             200 200 200 200 200 no  no
GET    bills.xlsx                                bills.read             200 200 200 200 200 .   .
GET    bills.xlsx?mch_no=:m                      bills.read             200 200 200 200 200 no  no
GET    totals/bills                              bills.read             200 200 200 200 200 .   .
GET    totals/bills?mch_no=:m                    bills.read             200 200 200 200 200 no  no
GET    differences.csv                           reconciliation.read    200 200 200 no  no  .   .
GET    differences.csv?mch_no=:m                 reconciliation.read    200 200 200 no  no  no  no
GET    differences.xlsx                          reconciliation.read    200 200 200 no  no  .   .
GET    differences.xlsx?mch_no=:m                reconciliation.read    200 200 200 no  no  no  no
GET    totals/differences                        reconciliation.read    200 200 200 no  no  .   .
GET    totals/differences?mch_no=:m              reconciliation.read    200 200 200 no  no  no  no
GET    unmatched-payments.csv                    reconciliation.read    200 200 200 no  no  .   .
GET    unmatched-payments.csv?mch_no=:m          reconciliation.read    200 200 200 no  no  no  no
GET    unmatched-payments.xlsx                   reconciliation.read    200 200 200 no  no  .   .
GET    unmatched-payments.xlsx?mch_no=:m         reconciliation.read    200 200 200 no  no  no  no
GET    totals/unmatched-payments                 reconciliation.read    200 200 200 no  no  .   .
GET    totals/unmatched-payments?mch_no=:m       reconciliation.read    200 200 200 no  no  no  no
GET    merchants.csv                             merchants.read         200 200 200 200 200 .   .
GET    merchants.xlsx                            merchants.read         200 200 200 200 200 .   .
GET    totals/merchants                          merchants.read         200 200 200 200 200 .   .
GET    audit.csv                                 audit.read             200 200 200 200 no  .   .
GET    audit.csv?mch_no=:m                       audit.read             200 200 200 200 no  no  no
GET    audit.xlsx                                audit.read             200 200 200 200 no  .   .
GET    audit.xlsx?mch_no=:m                      audit.read             200 200 200 200 no  no  no
GET    totals/audit                              audit.read             200 200 200 200 no  .   .
GET    totals/audit?mch_no=:m                    audit.read             200 200 200 200 no  no  no
GET    statements/:m/2026-02/csv                 bills.read             200 200 200 200 200 no  no
GET    statements/:m/2026-02/xlsx                bills.read             200 200 200 200 200 no  no
GET    find?text=:m                              orders.read            200 200 200 200 200 200 200
GET    find?text=:o                              orders.read            200 200 200 200 200 200 200

GET    sandbox/demo                              sandbox.use            200 200 no  200 no  .   .
POST   sandbox/orders                            sandbox.use            400 400 no  400 no  .   .    {}
GET    sandbox/orders/:m/:o/operations           sandbox.use            200 200 no  200 no  no  no
POST   sandbox/orders/:m/:o/operations           sandbox.use            400 400 no  400 no  no  no   {}
GET    sandbox/faults/wechat                     sandbox.use            200 200 no  200 no  .   .
PUT    sandbox/faults/wechat                     sandbox.use            400 400 no  400 no  .   .    {}
GET    sandbox/time                              sandbox.use            200 200 no  200 no  .   .
POST   sandbox/time                              sandbox.use            400 400 no  400 no  .   .    {}
`

/** Open although the password must be changed first. */
const ALWAYS_OPEN = ['DELETE session', 'PUT session/password']

/** These begin and show a session, so they cannot need one. */
const WITHOUT_SESSION = [
  'GET session',
  'POST session',
  'POST invitation',
  'POST invitation/accept',
  'GET provider',
  'POST provider',
  'POST provider/second',
]

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Row = { method: Method; path: string; permission: Permission | null; cells: string[]; body: string | null }

const ROWS: Row[] = TABLE.trim()
  .split('\n')
  .slice(1)
  .filter((line) => line !== '')
  .map((line) => {
    const [method, path, permission, ...rest] = line.split(/\s+/)
    const body = /\{.*$/.exec(line)?.[0] ?? null
    return {
      method: method as Method,
      path: path as string,
      permission: permission === '-' ? null : (permission as Permission),
      cells: rest.slice(0, 7),
      body,
    }
  })

/** The pattern of a row's path, with a colon for every part that a caller chooses. */
const PATTERNS: Record<string, string> = {
  'orders/:m/:o': 'orders/:mch_no/:transaction_no',
  'orders/:m/:x': 'orders/:mch_no/:transaction_no',
  'orders/:m/:x/evidence': 'orders/:mch_no/:transaction_no/evidence',
  'orders/:m/:x/close': 'orders/:mch_no/:transaction_no/close',
  'orders/:m/:x/refunds': 'orders/:mch_no/:transaction_no/refunds',
  'orders/:m/:o/evidence.html': 'orders/:mch_no/:transaction_no/evidence.html',
  'orders/:m/:x/evidence.html': 'orders/:mch_no/:transaction_no/evidence.html',
  'orders/:m/:o/notes': 'orders/:mch_no/:transaction_no/notes',
  'orders/:m/:x/notes': 'orders/:mch_no/:transaction_no/notes',
  'orders/:m/:o/tags': 'orders/:mch_no/:transaction_no/tags',
  'orders/:m/:x/tags': 'orders/:mch_no/:transaction_no/tags',
  'orders/:m/:o/evidence': 'orders/:mch_no/:transaction_no/evidence',
  'orders/:m/:o/close': 'orders/:mch_no/:transaction_no/close',
  'orders/:m/:o/refunds': 'orders/:mch_no/:transaction_no/refunds',
  'notifications/:m/:o/1/tries': 'notifications/:mch_no/:transaction_no/:seq/tries',
  'bills/:m/2026-02-28/link': 'bills/:mch_no/:bill_day/link',
  'bills/:m/2026-02-28/comparison': 'bills/:mch_no/:bill_day/comparison',
  'merchants/:m': 'merchants/:mch_no',
  'merchants/:m/apps': 'merchants/:mch_no/apps',
  'merchants/:m/apps/APP-OF-TABLE': 'merchants/:mch_no/apps/:app_no',
  'merchants/:m/apps/APP404': 'merchants/:mch_no/apps/:app_no',
  'merchants/:m/keys': 'merchants/:mch_no/keys',
  'merchants/:m/keys/NOKEY': 'merchants/:mch_no/keys/:key_id',
  'merchants/:m/channels/wechat': 'merchants/:mch_no/channels/:channel',
  'merchants/:m/channels/unionpay/test': 'merchants/:mch_no/channels/:channel/test',
  'users/:u': 'users/:username',
  'users/operator': 'users/:username',
  'invitations/IV404': 'invitations/:invitation_no',
  'sandbox/orders/:m/:o/operations': 'sandbox/orders/:mch_no/:transaction_no/operations',
  'sandbox/faults/wechat': 'sandbox/faults/:channel',
  'platform-keys/NOKEY': 'platform-keys/:key_id',
  'alarm-channels/AC404': 'alarm-channels/:channel_id',
  'alarm-channels/AC404/test': 'alarm-channels/:channel_id/test',
  'sessions/0123456789abcdef': 'sessions/:id',
  'passkeys/0123456789abcdef': 'passkeys/:id',
  'statements/:m/2026-02/csv': 'statements/:mch_no/:month/csv',
  'statements/:m/2026-02/xlsx': 'statements/:mch_no/:month/xlsx',
  'bulk/requests/none': 'bulk/requests/:request_no',
  'refund-requests/:m/none': 'refund-requests/:mch_no/:mch_refund_no',
}
const pathOf = (row: Row): string => row.path.split('?', 1)[0] as string
const patternOf = (path: string): string => PATTERNS[path] ?? path
const callOf = (row: Row): string => `${row.method} ${patternOf(pathOf(row))}`

const USERS = {
  platform_admin: 'platform-admin',
  operator: 'operator',
  finance: 'finance',
  merchant_admin: 'admin',
  merchant_viewer: 'viewer',
} as const satisfies Record<Role, string>

type Column = { role: Role; of: 'own' | 'other'; cell: number }

/** Who makes a call, whose merchant it names, and which cell says what is answered. */
const COLUMNS: Column[] = [
  ...ROLES.map((role, cell) => ({ role, of: 'own' as const, cell })),
  ...ROLES.slice(0, 3).map((role, cell) => ({ role, of: 'other' as const, cell })),
  { role: 'merchant_admin', of: 'other', cell: 5 },
  { role: 'merchant_viewer', of: 'other', cell: 6 },
]

const namesMerchant = ({ path, body }: Row): boolean => /:[moxu]\b/.test(path + body)

/** The first row of every call: what is answered before the call is read is the same for all of them. */
const CALLS = ROWS.filter((row, index) => ROWS.findIndex((other) => callOf(other) === callOf(row)) === index)

type Place = { mchNo: string; order: string; otherOrder: string; user: string }
type Visitor = { cookie: string; csrf: string }
let gateway: TestWorld
const places = {} as Record<'own' | 'other', Place>

const NOBODY: Visitor = { cookie: '', csrf: '' }

async function sessionOf(username: string): Promise<Visitor> {
  const cookie = `acopay_console=${await beginSession(gateway.world, username, '127.0.0.1')}`
  const { body } = await consoleClient(gateway.demo.baseUrl, cookie).get('session')
  return { cookie, csrf: (body as Session).csrf }
}

const visitors = {} as Record<Role | 'new', Visitor>

async function closedOrder(mchNo: string, appNo: string): Promise<string> {
  const { world } = gateway
  const placed = await placeOrder(world, {
    ...{ mchNo, appNo, mchTradeNo: `table-of-the-console-${mchNo}`, description: 'x', askedExpire: null, extra: null },
    ...{ amountFen: 1250n as Parameters<typeof placeOrder>[1]['amountFen'], notifyUrl: null, nonce: null },
  })
  if (placed.kind !== 'placed') throw new Error(placed.kind)
  const { transactionNo } = placed.order
  await closeOrder(world, { mchNo, ref: { transactionNo }, by: 'MERCHANT', nonce: null })
  return transactionNo
}

beforeAll(async () => {
  gateway = await testWorld()
  const { world, demo, database } = gateway
  const now = world.now()
  await addMerchant(database.pool, { mchNo: 'MCH-OTHER', name: '别家商户' }, now)
  for (const mchNo of [demo.mchNo, 'MCH-OTHER']) {
    await addApp(database.pool, { mchNo, appNo: 'APP-OF-TABLE', name: 'x' }, now)
  }
  const add = (username: string, role: Role, mchNo: string | null, mustChangePassword = false) =>
    addConsoleUser(database.pool, { username, role, mchNo, mustChangePassword, passwordHash: PASSWORD_HASH }, now)
  for (const role of ROLES) {
    await add(USERS[role], role, role.startsWith('merchant') ? demo.mchNo : null)
    visitors[role] = await sessionOf(USERS[role])
  }
  await add('newcomer', 'platform_admin', null, true)
  visitors.new = await sessionOf('newcomer')
  await add('own-clerk', 'merchant_viewer', demo.mchNo)
  await add('other-clerk', 'merchant_viewer', 'MCH-OTHER')
  await invite(world, { username: 'other-clerk-invited', role: 'merchant_viewer', mchNo: 'MCH-OTHER', invitedBy: 'x' })
  const [own, other] = [await closedOrder(demo.mchNo, demo.appNo), await closedOrder('MCH-OTHER', 'APP-OF-TABLE')]
  places.own = { mchNo: demo.mchNo, order: own, otherOrder: other, user: 'own-clerk' }
  places.other = { mchNo: 'MCH-OTHER', order: other, otherOrder: own, user: 'other-clerk' }
})
afterAll(() => gateway.stop())

const filled = (text: string, { mchNo, order, otherOrder, user }: Place): string => {
  const values: Record<string, string> = { m: mchNo, o: order, x: otherOrder, u: user }
  return text.replace(/:([moxu])\b/g, (_all, name: string) => values[name] as string)
}

type Asked = { method: string; path: string; body?: string | null; visitor: Visitor; token?: string }

async function ask({ method, path, body, visitor, token = visitor.csrf }: Asked) {
  const response = await fetch(`${gateway.demo.baseUrl}/console/api/${path}`, {
    method,
    headers: {
      ...(visitor.cookie === '' ? {} : { cookie: visitor.cookie }),
      ...(token === '' ? {} : { 'x-acopay-csrf': token }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body } : {}),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  const error: string = isJson && text !== '' ? (JSON.parse(text)?.error ?? '') : ''
  return { status: response.status, error, text, said: error === 'FORBIDDEN' ? 'no' : String(response.status) }
}

const nameOf = ({ method, path, body }: Pick<Row, 'method' | 'path' | 'body'>): string =>
  `${method} ${path}${body === null ? '' : ` ${body}`}`

/** Ending a session ends it for the rows that come after, so that this row begins one of its own. */
const visitorOf = (row: Row, username: string): Promise<Visitor> | Visitor => {
  const role = ROLES.find((one) => USERS[one] === username) ?? 'new'
  return callOf(row) === 'DELETE session' ? sessionOf(username) : visitors[role]
}

/** Makes the call of a row. */
async function askRow(row: Row, of: 'own' | 'other', who: Pick<Asked, 'visitor' | 'token'>) {
  const body = row.body && filled(row.body, places[of])
  return ask({ method: row.method, path: filled(row.path, places[of]), body, ...who })
}

it('has an answer for every role, with the own and with another merchant', async () => {
  const cells = ROWS.flatMap((row) =>
    COLUMNS.filter(({ of }) => of === 'own' || namesMerchant(row)).map((column) => ({ row, ...column })),
  )
  const answers = await inBatches(cells, async ({ row, role, of }) =>
    askRow(row, of, { visitor: await visitorOf(row, USERS[role]) }),
  )
  const labels = cells.map(({ row, role, of }) => `${nameOf(row)} ${role} ${of}`)
  expect(
    wrongRows(cells, ({ row, cell }, index) => [labels[index] as string, answers[index]?.said, row.cells[cell]]),
  ).toEqual([])
  expect(cells.length).toBeGreaterThanOrEqual(550)

  // A merchant's user who does not ask for the other merchant is told nothing of it. The audit log repeats what a user asked.
  const leaks = cells.filter(({ row, role, of }, index) => {
    const isAsked = of === 'other' || nameOf(row).includes(':x')
    if (!role.startsWith('merchant') || isAsked) return false
    const text = answers[index]?.text ?? ''
    if (text.startsWith('{"error"')) return false
    if (!row.path.startsWith('audit')) {
      return ['别家商户', 'MCH-OTHER', 'other-clerk', places.other.order].some((one) => text.includes(one))
    }
    // In this file the merchant is the sixth column.
    if (row.path.includes('.csv')) {
      const merchants = text
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',')[5])
      return merchants.some((mchNo) => mchNo !== places.own.mchNo)
    }
    if (row.path.includes('.xlsx')) return false
    const listed = row.path.includes('.jsonl') ? `{"rows":[${text.trim().replaceAll('\n', ',')}]}` : text
    const { rows = [] } = JSON.parse(listed) as { rows?: { mch_no: string }[] }
    return rows.some(({ mch_no }) => mch_no !== places.own.mchNo)
  })
  expect(leaks.map(({ row, role }) => `${nameOf(row)} ${role}`)).toEqual([])
})

it('asks everyone to sign in first, whatever token the call carries', async () => {
  const ended = await sessionOf('operator')
  await ask({ method: 'DELETE', path: 'session', visitor: ended })
  const strangers = {
    'without a cookie': { visitor: NOBODY, token: '' },
    "without a cookie, with another's token": { visitor: NOBODY, token: visitors.platform_admin.csrf },
    'with a cookie that was never given': { visitor: { cookie: 'acopay_console=0123', csrf: '' }, token: '' },
    'with the cookie of an ended session': { visitor: ended, token: ended.csrf },
  }
  const cells = CALLS.flatMap((row) => Object.entries(strangers).map(([name, who]) => ({ row, name, who })))
  const answers = await inBatches(cells, ({ row, who }) => askRow(row, 'own', who))
  expect(
    wrongRows(cells, ({ row, name }, index) => {
      const answer = answers[index]
      return [`${nameOf(row)} ${name}`, `${answer?.status} ${answer?.error}`, '401 SIGN_IN_FIRST']
    }),
  ).toEqual([])
})

it('asks for the token of the same session for every call that is not GET, from every role', async () => {
  const changes = CALLS.filter(({ method }) => method !== 'GET')
  const without = changes.flatMap((row) => ROLES.map((role) => ({ row, role, name: 'none', token: '' })))
  const others = changes.map((row) => ({
    ...{ row, role: 'platform_admin' as const, name: "the operator's", token: visitors.operator.csrf },
  }))
  const cells = [...without, ...others]
  const answers = await inBatches(cells, ({ row, role, token }) =>
    askRow(row, 'own', { visitor: visitors[role], token }),
  )
  expect(
    wrongRows(cells, ({ row, role, name }, index) => {
      const answer = answers[index]
      return [`${nameOf(row)} ${role} token: ${name}`, `${answer?.status} ${answer?.error}`, '403 CSRF_MISSING']
    }),
  ).toEqual([])
  // What only reads needs no token.
  const reads = CALLS.filter(({ method }) => method === 'GET')
  const read = await inBatches(reads, (row) => askRow(row, 'own', { visitor: visitors.platform_admin, token: '' }))
  expect(wrongRows(reads, (row, index) => [nameOf(row), read[index]?.said, row.cells[0]])).toEqual([])
})

it('leads a user whose password must be changed to nothing else', async () => {
  const answers = await inBatches(CALLS, async (row) =>
    askRow(row, 'own', { visitor: await visitorOf(row, 'newcomer') }),
  )
  expect(
    wrongRows(CALLS, (row, index) => {
      const isOpen = ALWAYS_OPEN.includes(`${row.method} ${row.path}`)
      const answer = answers[index]
      const said = answer?.error === 'PASSWORD_CHANGE_FIRST' ? `${answer.status} ${answer.error}` : answer?.said
      return [nameOf(row), said, isOpen ? row.cells[0] : '403 PASSWORD_CHANGE_FIRST']
    }),
  ).toEqual([])
})

/** The table of roles, a second time, by hand: docs/console.md, Roles. */
const ROLE_TABLE: Record<Permission, string> = {
  'orders.read': 'P O F A V',
  'orders.close': 'P O - A -',
  'refunds.create': 'P O F A -',
  'notifications.read': 'P O F A V',
  'notifications.resend': 'P O - A -',
  'bills.read': 'P O F A V',
  'reconciliation.read': 'P O F - -',
  'reconciliation.settle': 'P - F - -',
  'merchants.read': 'P O F A V',
  'merchants.write': 'P - - A -',
  'channels.write': 'P - - - -',
  'users.read': 'P - - A -',
  'users.write': 'P - - A -',
  'audit.read': 'P O F A -',
  'sandbox.use': 'P O - A -',
  'platform_keys.write': 'P - - - -',
  'alarms.read': 'P O F - -',
  'alarms.write': 'P - - - -',
  'orders.note': 'P O F - -',
}

it('gives each role the permissions that the documentation names, and no other', () => {
  const letters: Record<Role, string> = {
    ...{ platform_admin: 'P', operator: 'O', finance: 'F', merchant_admin: 'A', merchant_viewer: 'V' },
  }
  const allowed = PERMISSIONS.map((permission) => [
    permission,
    ROLES.map((role) => (ALLOWED[role].includes(permission) ? letters[role] : '-')).join(' '),
  ])
  expect(Object.fromEntries(allowed)).toEqual(ROLE_TABLE)
})

/** What an answer says of a call; every other one, 400 as well, comes from behind the door. */
const OPENINGS: Record<string, string> = { no: 'refused', '401': 'signed out' }

it('asks each call for one permission: a role that has only this one may make it, a role with any other one may not', async () => {
  const { operator } = ALLOWED
  const cells = PERMISSIONS.flatMap((permission) => CALLS.map((row) => ({ row, permission })))
  const said: string[] = []
  try {
    for (const permission of PERMISSIONS) {
      ALLOWED.operator = [permission]
      const asked = await inBatches(CALLS, async (row) =>
        row.permission === null && permission !== PERMISSIONS[0]
          ? { said: 'open' }
          : askRow(row, 'own', { visitor: await visitorOf(row, 'operator') }),
      )
      said.push(...asked.map((answer) => OPENINGS[answer.said] ?? 'open'))
    }
  } finally {
    ALLOWED.operator = operator
  }
  expect(
    wrongRows(cells, ({ row, permission }, index) => {
      const isOpen = row.permission === null || row.permission === permission
      return [`${nameOf(row)} with only ${permission}`, said[index], isOpen ? 'open' : 'refused']
    }),
  ).toEqual([])
})

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

it('lists every route of the console in its table', () => {
  const registered = routesOf(gateway.app)
    .filter((route) => route.includes(' /console/api/') && !route.endsWith(' /console/api/*'))
    .map((route) => route.replace('/console/api/', ''))
  expect(registered.sort()).toEqual([...CALLS.map(callOf), ...WITHOUT_SESSION].sort())
})

it('has no other method anywhere: 404 for users who may do everything and for strangers', async () => {
  const paths = [...new Set([...ROWS.map(pathOf), 'session', 'nothing', 'orders/'])]
  const known = new Set([...CALLS.map(callOf), ...WITHOUT_SESSION])
  const served = (method: string, path: string): boolean => known.has(`${method} ${patternOf(path)}`)
  const cells = paths.flatMap((path) =>
    METHODS.filter((method) => !served(method, path)).flatMap((method) =>
      [visitors.platform_admin, NOBODY].map((visitor) => ({ method, path, visitor })),
    ),
  )
  const answers = await inBatches(cells, ({ method, path, visitor }) =>
    ask({ method, path: filled(path, places.own), visitor }),
  )
  expect(
    wrongRows(cells, ({ method, path }, index) => {
      const answer = answers[index]
      const error = method === 'HEAD' ? '' : 'NOT_FOUND'
      return [`${method} ${path}`, `${answer?.status} ${answer?.error}`, `404 ${error}`]
    }),
  ).toEqual([])
})

it('shows a stranger no session, a user its own, and begins no session for what is no sign-in', async () => {
  expect((await ask({ method: 'GET', path: 'session', visitor: NOBODY })).text).toBe('null')
  for (const role of ROLES) {
    const session = JSON.parse((await ask({ method: 'GET', path: 'session', visitor: visitors[role] })).text) as Session
    expect(session).toMatchObject({ username: USERS[role], role })
    const own = Object.entries(ROLE_TABLE).filter(([, roles]) => roles.split(' ')[ROLES.indexOf(role)] !== '-')
    expect([...session.permissions].sort(), role).toEqual(own.map(([permission]) => permission).sort())
  }
  for (const [body, said] of [
    ['{}', 400],
    ['[]', 400],
    ['{"username":"operator"}', 400],
    ['{"username":"operator","password":1}', 400],
    ['{"username":"operator","password":"none"}', 401],
  ] as const) {
    expect(await ask({ method: 'POST', path: 'session', visitor: NOBODY, body }), body).toMatchObject({ status: said })
  }
})
