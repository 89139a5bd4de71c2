/**
 * The address of a merchant's shop, to which the payer's page leads back. It is stored for an app by people who may change the app,
 * and a page leads to a stored address only: no request, order or link can name another one.
 */
import { RETURN_URL_MAX } from '@acopay/protocol/console'

/** What the page adds to the address's query. A shop's address that has one of them already would be ambiguous. */
const RETURN_PARAMS = ['transaction_no', 'state'] as const

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

type Problem = { zh: string; en: string }

/** The address as browsers read it, so that a host that only looks like another one shows what it is; or what is wrong with it. */
export function returnUrlOf(text: string, { isSandbox }: { isSandbox: boolean }): string | Problem {
  // The parser reads a backslash as a slash and drops tabs and line ends: such an address is not what it looks like.
  const url = /[\s\\]/.test(text) ? null : parsed(text)
  if (url === null) {
    return {
      zh: '应为完整的网址，如 https://shop.example.com/orders',
      en: 'should be a whole address, like https://shop.example.com/orders',
    }
  }
  const isLocal = isSandbox && url.protocol === 'http:' && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) {
    return isSandbox
      ? {
          zh: '应以 https:// 开头（沙箱中本机地址可用 http://）',
          en: 'should begin with https:// (in a sandbox http:// for this machine)',
        }
      : { zh: '应以 https:// 开头', en: 'should begin with https://' }
  }
  if (url.username !== '' || url.password !== '') {
    return { zh: '不能包含用户名或密码', en: 'should hold no user name or password' }
  }
  const taken = RETURN_PARAMS.find((name) => url.searchParams.has(name))
  if (taken !== undefined) {
    return {
      zh: `不能带参数 ${taken}，收银台会加上它`,
      en: `should not have the parameter ${taken}, which the cashier adds`,
    }
  }
  if (url.href.length > RETURN_URL_MAX) {
    return {
      zh: `编码后不能超过${RETURN_URL_MAX}个字符`,
      en: `should have at most ${RETURN_URL_MAX} characters when encoded`,
    }
  }
  return url.href
}

function parsed(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}
