/** The merchant's notify_url: its form, whether a server answers there, and whether it believes what is not signed. */
import { EXIT } from '../command.ts'
import type { Name } from '../settings.ts'
import { type Check, doubtful, ok, wrong } from './check.ts'

const TIMEOUT_MS = 5000
const NAME = '通知地址 notify_url'

/** As an attacker would: a server that answers SUCCESS delivers goods that were not paid. */
const UNSIGNED = '{"code":"SUCCESS","description":"acopay doctor: 没有签名 not signed"}'

export async function checkNotifyUrl(text: string | null, { baseUrl }: Record<Name, string | null>): Promise<Check[]> {
  if (text === null) return []
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#]/.test(text) || url.username !== '') {
    const says = { zh: '应为不带 ?、#、用户名的网址', en: 'should be an address without ?, # and user name' }
    return [
      wrong(NAME, EXIT.usage, says, {
        zh: '如 https://shop.example.com/notify',
        en: 'such as https://shop.example.com/notify',
      }),
    ]
  }
  return [...form(url, baseUrl), await asked(url)]
}

const isOfThisMachine = (address: string | null): boolean =>
  address !== null && URL.canParse(address) && /^(127\.|localhost$|\[::1\]$)/.test(new URL(address).hostname)

function form(url: URL, baseUrl: string | null): Check[] {
  const isLocal = isOfThisMachine(url.href)
  if (isLocal && !isOfThisMachine(baseUrl)) {
    const says = {
      zh: '这是本机的地址，别处的网关到不了',
      en: 'is an address of this machine, which a gateway elsewhere cannot reach',
    }
    return [
      wrong(NAME, EXIT.usage, says, { zh: '用公网HTTPS地址或隧道', en: 'use a public HTTPS address, or a tunnel' }),
    ]
  }
  if (url.protocol === 'https:' || isLocal) return []
  const says = { zh: '不是HTTPS，网关不接受', en: 'is not HTTPS; the gateway does not take it' }
  return [wrong(NAME, EXIT.usage, says, { zh: '换成 https://', en: 'use https://' })]
}

async function asked(url: URL): Promise<Check> {
  try {
    const init = { method: 'POST', body: UNSIGNED, headers: { 'content-type': 'application/json' } }
    const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const text = await answer.text()
    if (answer.status === 200 && text.includes('SUCCESS')) {
      return wrong(
        NAME,
        EXIT.signature,
        { zh: '它相信了没有签名的通知', en: 'it believed a notification that is not signed' },
        {
          zh: '先验签再处理：见 docs/wire/notifications.zh-CN.md',
          en: 'verify before you act: see docs/wire/notifications.md',
        },
      )
    }
    const says = {
      zh: `有服务器回答 HTTP ${answer.status}，没有相信无签名的通知`,
      en: `a server answers HTTP ${answer.status}, and did not believe what is not signed`,
    }
    if (answer.status < 404 || answer.status === 422) return ok(NAME, says)
    return doubtful(NAME, says, { zh: '检查路径，以及服务器的日志', en: "look at the path, and at the server's log" })
  } catch (error) {
    const { cause, name } = error as Error & { cause?: NodeJS.ErrnoException }
    const code = cause?.code ?? cause?.message ?? name
    return wrong(
      NAME,
      EXIT.connection,
      { zh: `从本机连不上：${code}`, en: `cannot be reached from here: ${code}` },
      { zh: '服务器在运行吗？防火墙放行了吗？', en: 'does the server run, and does the firewall let requests in?' },
    )
  }
}
