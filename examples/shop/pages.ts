/** The two pages: the shell that includes the host script, and the shop that it shows in a frame. */

export const shellPage = (gateway: string, shopUrl: string): string => `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>演示外壳 Demo shell</title>
<style>
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #15191f; background: #e9edf2; }
  header { padding: 12px 16px; font-weight: 600; }
  iframe { display: block; width: 100%; height: calc(100dvh - 48px); border: 0; background: #fff; }
</style>
<header>演示外壳 Demo shell</header>
<iframe src="${shopUrl}" title="演示商店 Demo shop"></iframe>
<script src="${gateway}/cashier/host.js" data-origins="${new URL(shopUrl).origin}"></script>
`

export const shopPage = `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>演示商店 Demo shop</title>
<style>
  body { margin: 0 auto; max-width: 420px; padding: 24px 16px; font: 16px/1.6 system-ui, sans-serif; color: #15191f; }
  button { min-height: 48px; padding: 0 24px; border: 0; border-radius: 10px; background: #0b5fd3; color: #fff; font: inherit; }
  button:disabled { background: #5a6370; }
  output { display: block; margin-top: 16px; white-space: pre-line; overflow-wrap: anywhere; }
</style>
<h1>一杯咖啡 A coffee</h1>
<p>¥12.50</p>
<button type="button" id="buy">购买 Buy</button>
<output id="result"></output>
<script src="/web-sdk.js"></script>
<script src="/shop.js"></script>
`

/**
 * Runs in the page: the back end signs and the official SDK pays. Only the gateway's notification to the back end proves
 * the payment.
 */
export const shopScript = `
const [buy, result] = ['buy', 'result'].map((id) => document.getElementById(id))
const say = (text) => { result.textContent = text }

async function untilTold(no) {
  for (let tries = 0; tries < 60; tries += 1) {
    const order = await (await fetch('/orders/' + no)).json()
    if (order.paid) return true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  return false
}

buy.addEventListener('click', async () => {
  buy.disabled = true
  say('等待付款 waiting for the payment …')
  try {
    const params = await (await fetch('/orders', { method: 'POST' })).json()
    const paid = await window.edger.payment.pay(params)
    say('收银台：' + (paid.success ? '已付款 paid' : '未付款 not paid'))
    const isTold = await untilTold(params.mch_trade_no)
    say(isTold ? '已付款，商店已收到通知 paid, and the shop was notified' : '已付款，尚未收到通知 paid, the shop is not notified yet')
  } catch (failure) {
    const { code, message } = failure.error ?? failure
    say('未付款 not paid: ' + code + ' ' + message)
  } finally {
    buy.disabled = false
  }
})
`
