/**
 * A script for shell pages whose frames use the official `@edgeros/web-sdk`: it answers their `edger.payment.pay(params)`.
 *
 *   <script src="https://pay.example.com/cashier/host.js" data-origins="https://app.example.com"></script>
 *
 * `data-origins` lists the origins of those frames, separated by spaces; frames of other origins get a refusal. The messages
 * are the SDK's own: `{cmd: 'payRequest', uid, payload}` in, `{cmd: 'payRequest', uid, payload: {success}}` or
 * `{…, error: {code, message}}` out, within the two minutes that the SDK waits. The script reports success only when the
 * gateway says that the order is paid.
 */
import { endOf, leftAt, type Outcome, originsIn, PENDING, replyTo, UNREACHABLE } from './outcomes.ts'

const script = document.currentScript as HTMLScriptElement
const gateway = new URL(script.src).origin
const origins = originsIn(script.dataset.origins)
/** The SDK gives up after 120 s. A little earlier, the page is told that the order is still open. */
const ANSWER_MS = Number(script.dataset.answerMs ?? 115_000)
/** A frame that sends no message for this long has not loaded the cashier; the browser shows an error, or nothing. */
const READY_MS = 15_000

type Payment = {
  frame: HTMLIFrameElement
  hearReady: () => void
  end: (outcome: Outcome) => void
  shut: () => void
  /** The order's phase in the cashier's last message. */
  last: string
  /** The payment has ended. The payer may still be reading why. */
  isOver: boolean
}

/** The one payment in progress. A second one at the same time is refused. */
let current: Payment | null = null

window.addEventListener('message', (event) => {
  if (event.data === null || typeof event.data !== 'object') return
  if (current !== null && event.source === current.frame.contentWindow) return hearCashier(event)
  if (event.data.cmd === 'payRequest') hearPage(event)
})

function hearPage({ data, origin, source }: MessageEvent): void {
  const page = source as Window | null
  if (page === null) return
  const isListed = origins.has(origin)
  const answer = (outcome: Outcome): void => {
    // Answer only this origin. An origin that is not listed learns that it is not, and nothing else.
    page.postMessage(replyTo(data.uid, outcome), origin === 'null' ? '*' : origin)
  }
  if (!isListed) {
    answer({ code: 'ORIGIN_NOT_ALLOWED', message: `此页面不在允许的来源中 (not an allowed origin): ${origin}` })
  } else if (current !== null && !current.isOver) {
    answer({ code: 'PAYMENT_UNDER_WAY', message: '已有一笔付款正在进行 (another payment is under way)' })
  } else {
    current?.shut()
    current = open(data.payload, answer)
  }
}

/** Accepts messages only while our own frame shows the gateway. */
function hearCashier({ data, origin }: MessageEvent): void {
  if (current === null || origin !== gateway) return
  if (data.acopay === 'ready') current.hearReady()
  else if (data.acopay === 'failed') current.end({ code: data.code, message: data.message })
  else if (data.acopay === 'phase') {
    current.last = data.phase
    const end = endOf(data.phase)
    if (end !== undefined) current.end(end)
  }
}

/** The dialog with the cashier's frame and the button that closes it. */
function dialog(): { cover: HTMLDialogElement; frame: HTMLIFrameElement; leave: HTMLButtonElement } {
  const cover = document.createElement('dialog')
  cover.setAttribute('aria-label', '收银台 Cashier')
  style(cover, {
    padding: '0',
    border: '0',
    borderRadius: '12px',
    overflow: 'hidden',
    background: 'Canvas',
    width: 'min(440px, 100vw)',
    height: 'min(760px, 100dvh)',
    maxWidth: '100vw',
    maxHeight: '100dvh',
  })
  const frame = document.createElement('iframe')
  frame.title = '收银台 Cashier'
  frame.src = `${gateway}/cashier/pay`
  style(frame, { border: '0', width: '100%', height: '100%', display: 'block' })
  const leave = document.createElement('button')
  leave.type = 'button'
  leave.textContent = '×'
  leave.setAttribute('aria-label', '关闭收银台 Close the cashier')
  style(leave, {
    position: 'absolute',
    top: '8px',
    right: '8px',
    width: '44px',
    height: '44px',
    fontSize: '24px',
    border: '0',
    borderRadius: '22px',
    background: 'Canvas',
    color: 'CanvasText',
    cursor: 'pointer',
  })
  cover.append(frame, leave)
  return { cover, frame, leave }
}

/** Shows the cashier above the page. The payer may close it at any time; that closes this window and not the order. */
function open(params: unknown, answer: (outcome: Outcome) => void): Payment {
  const { cover, frame, leave } = dialog()
  document.body.append(cover)

  let isAnswered = false
  const say = (outcome: Outcome): void => {
    if (isAnswered) return
    isAnswered = true
    clearTimeout(tooLate)
    clearTimeout(tooQuiet)
    answer(outcome)
  }
  const shut = (): void => {
    current = null
    if (cover.open) cover.close()
    cover.remove()
  }
  // The page's promise ends now. The cashier stays open, and the merchant's server is notified of a later payment.
  const tooLate = setTimeout(() => say(PENDING), ANSWER_MS)
  const end = (outcome: Outcome): void => {
    payment.isOver = true
    say(outcome)
    if ('success' in outcome) shut()
  }
  // Removing the frame makes sure that a late cashier does not place an order after the page was told that it failed.
  const tooQuiet = setTimeout(() => {
    frame.replaceWith(unreachable(shut))
    end(UNREACHABLE)
  }, READY_MS)
  const walkAway = (): void => {
    shut()
    say(leftAt(payment.last))
  }
  leave.addEventListener('click', walkAway)
  cover.addEventListener('cancel', (event) => {
    event.preventDefault()
    walkAway()
  })
  const hearReady = (): void => {
    clearTimeout(tooQuiet)
    frame.contentWindow?.postMessage({ acopay: 'pay', params }, gateway)
  }
  const payment: Payment = { frame, hearReady, end, shut, last: '', isOver: false }
  cover.showModal()
  return payment
}

/** Replaces the frame: a text that says what happened, and a button that closes the dialog. */
function unreachable(shut: () => void): HTMLElement {
  const note = document.createElement('div')
  note.setAttribute('role', 'alert')
  style(note, {
    height: '100%',
    display: 'flex',
    flexDirection: 'column',
    justifyContent: 'center',
    alignItems: 'center',
    gap: '16px',
    padding: '24px',
    boxSizing: 'border-box',
    textAlign: 'center',
    color: 'CanvasText',
    font: '16px/1.5 system-ui, sans-serif',
  })
  for (const text of [
    '暂时无法打开收银台，没有扣款，请稍后再试。',
    'The cashier cannot be opened right now. Nothing was charged; please try again later.',
  ]) {
    const line = document.createElement('p')
    line.textContent = text
    style(line, { margin: '0' })
    note.append(line)
  }
  const close = document.createElement('button')
  close.type = 'button'
  close.textContent = '关闭 Close'
  style(close, { minHeight: '44px', padding: '0 24px', font: 'inherit', cursor: 'pointer' })
  close.addEventListener('click', shut)
  note.append(close)
  return note
}

function style(element: HTMLElement, rules: Partial<CSSStyleDeclaration>): void {
  Object.assign(element.style, rules)
}
