/** `npm run demo:shop`: a gateway in sandbox mode and a shop, until Ctrl-C or SIGTERM. It leaves nothing behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startProcess } from '../../test/support/process.ts'
import { startShop } from './shop.ts'

// Before anything is made, so that a signal while the gateway starts is heard too.
const stopping = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve)
})
const home = mkdtempSync(path.join(tmpdir(), 'acopay-shop-'))
try {
  const gateway = await startProcess({ ACOPAY_HOME: home, LOG_LEVEL: 'warn' })
  const shop = await startShop(gateway.demo)
  console.log(`
  网关 gateway   ${gateway.url}
  商店 shop      ${shop.shellUrl}

  在浏览器打开商店，点“购买”，选择付款方式，再点“沙箱付款”
  Open the shop, press Buy, choose how to pay, then press the sandbox's own button to be the payer

  按 Ctrl-C 结束 (Ctrl-C ends it)
`)
  await stopping
  await shop.stop()
  await gateway.end('SIGTERM')
} catch (error) {
  // Ctrl-C reaches the gateway as well: a start that it ends is no failure.
  if ((await Promise.race([stopping, null])) === null) throw error
} finally {
  rmSync(home, { recursive: true })
}
