/** Words and limits that the console's pages and the server share, a second time by hand: a page knows no others. */
import { expect, it } from 'vitest'
import { SENT_BACK_ANSWERS } from '../answers.ts'
import { INVITATION_HOURS, INVITATION_STATES, LOGO_BYTES_MAX, LOGO_PIXELS_MAX, RETURN_URL_MAX } from './admin.ts'
import { BULK_MAX, BULK_OPERATIONS } from './bulk.ts'
import { FIGURE_PARTS } from './figures.ts'
import { PROVIDER_WORDS } from './session.ts'
import { SENT_BACK_WHY } from './story.ts'
import { nameOfChannel } from './story-words.ts'

it('the words are these', () => {
  expect(BULK_OPERATIONS.join(' ')).toBe('close resend')
  expect(FIGURE_PARTS.join(' ')).toBe('by_time by_channel by_clock by_merchant')
  expect(INVITATION_STATES.join(' ')).toBe('OPEN USED REVOKED EXPIRED')
  expect(PROVIDER_WORDS.join(' ')).toBe('second linked unreachable denied refused over nobody taken busy')
  expect(SENT_BACK_WHY.join(' ')).toBe('late second wrong_amount returned_outside')
  expect(SENT_BACK_ANSWERS).toEqual({
    LATE: '订单关闭后付款，已全额退回付款人',
    SECOND: '订单已支付，重复付款已全额退回付款人',
    WRONG_AMOUNT: '付款金额与订单不符，已全额退回付款人',
  })
})

it('the limits are these', () => {
  expect({ BULK_MAX, INVITATION_HOURS, LOGO_BYTES_MAX, LOGO_PIXELS_MAX, RETURN_URL_MAX }).toEqual({
    BULK_MAX: 50,
    INVITATION_HOURS: 72,
    LOGO_BYTES_MAX: 32_768,
    LOGO_PIXELS_MAX: 1024,
    RETURN_URL_MAX: 512,
  })
})

it('a channel without a name of its own keeps its code, with blanks around it between Chinese words', () => {
  expect(nameOfChannel('wechat')).toEqual({ zh: '微信支付', en: 'WeChat Pay' })
  expect(nameOfChannel('unionpay')).toEqual({ zh: ' unionpay ', en: 'unionpay' })
})
