/**
 * The doors of a gateway in production: each of them is on this list, which is written by hand, and there is no other. The calls of
 * merchants and of the console have tables of their own: test/merchant-table.test.ts and test/console-table.test.ts.
 */
import { expect, it } from 'vitest'
import { routesOf } from '../../../../test/support/routes.ts'
import { readConfig } from '../start/config.ts'
import type { World } from '../world.ts'
import { buildServer, NO_EXTRA_ROUTES } from './server.ts'

/** For everybody. */
const OPEN = [
  'GET /cashier/:mchNo/logo/:appNo/:digest',
  'GET /cashier/pay',
  'GET /console',
  'GET /console/*',
  'GET /healthz',
  'GET /openapi.json',
  'GET /readyz',
  'GET /reference',
  'HEAD /healthz',
  'HEAD /readyz',
]

/** Open to every visitor who has the link, which cannot be guessed. */
const BY_LINK = [
  'GET /bills/:mchNo/:day/:expires/:file',
  'GET /cashier/:mchNo/:transactionNo/:proof',
  'GET /cashier/:mchNo/:transactionNo/:proof/events',
  'GET /cashier/:mchNo/:transactionNo/:proof/payer/:channel',
  'GET /cashier/:mchNo/:transactionNo/:proof/payer/:channel/back',
  'GET /cashier/:mchNo/:transactionNo/:proof/receipt',
  'GET /cashier/:mchNo/:transactionNo/:proof/state',
  'POST /cashier/:mchNo/:transactionNo/:proof/attempts',
]

/** For browsers that left by a trip of their own: without its cookie it opens nothing. */
const BY_COOKIE = ['GET /console/provider/callback']

/** For upstreams, which sign what they send. */
const SIGNED = ['POST /notify/:channel/:mchNo']

it('the doors are those that the documentation names, and none of the sandbox', async () => {
  const config = readConfig({ ACOPAY_MODE: 'production' }, '/nowhere')
  const app = buildServer({ isSandbox: false } as World, config, NO_EXTRA_ROUTES)
  await app.ready()
  const doors = routesOf(app)
    .filter((route) => !/ \/(pay|console\/api)\//.test(route))
    // The files of the built pages.
    .filter((route) => !/ \/(cashier|console|reference)\/[^:]+\.\w+$/.test(route))
  expect(doors.sort()).toEqual([...OPEN, ...BY_LINK, ...BY_COOKIE, ...SIGNED].sort())
  // A page's script may have the word in its name.
  expect(routesOf(app).filter((route) => route.includes('sandbox') && !route.includes('/assets/'))).toEqual([])
  await app.close()
})
