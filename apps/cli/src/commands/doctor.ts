/** `acopay doctor`: looks at everything that a first call needs, and says in both languages what is wrong and what to do. */
import { type Command, EXIT, type ExitCode, type Io, painted, textFlag } from '../command.ts'
import { type Check, ok, type Texts, wrong } from '../doctor/check.ts'
import { checkGateway } from '../doctor/gateway.ts'
import { checkKeys } from '../doctor/keys.ts'
import { checkNotifyUrl } from '../doctor/notify-url.ts'
import { type Found, findSettings, type Name, SETTINGS_OPTIONS, waysToGive } from '../settings.ts'

export const doctorCommand: Command = {
  usage: '[--public-key FILE|TEXT] [--notify-url URL]',
  zh: '检查设置、密钥、时钟、连接和签名，说明哪里不对、怎么办',
  en: 'check settings, keys, clock, connection and one signed call, and say what is wrong and what to do',
  options: {
    ...SETTINGS_OPTIONS,
    'public-key': { type: 'string', says: '交给平台的公钥 the public key that the platform was given' },
    'notify-url': { type: 'string', says: '您的通知地址 your notify_url' },
  },
  async run(flags, io) {
    const found = findSettings(flags, io)
    const values = Object.fromEntries(Object.entries(found).map(([name, one]) => [name, one?.value ?? null]))
    const settings = values as Record<Name, string | null>
    const checks = [
      ...checkSettings(found),
      ...checkKeys(settings, {
        keyFile: found.mchPrivateKey?.file ?? null,
        publicKey: textFlag(flags, 'public-key'),
        io,
      }),
    ]
    const mayCall = checks.every(({ state }) => state !== 'wrong')
    checks.push(...(await checkGateway(settings, { io, mayCall })))
    checks.push(...(await checkNotifyUrl(textFlag(flags, 'notify-url') ?? null, settings)))
    const exit = checks.find(({ state }) => state === 'wrong')?.exit ?? EXIT.done
    return { exit, json: { ok: exit === EXIT.done, checks: checks.map(jsonOf) }, lines: linesOf(checks, exit, io) }
  },
}

const checkSettings = (found: Record<Name, Found | null>): Check[] =>
  (Object.entries(found) as [Name, Found | null][]).map(([name, setting]) => {
    if (setting === null) {
      return wrong(
        name,
        EXIT.usage,
        { zh: '没有给出', en: 'is not set' },
        { zh: `用 ${waysToGive(name)} 给出`, en: `give it by ${waysToGive(name)}` },
      )
    }
    // A key is told by its length only: no part of a private key is ever printed.
    const shown = name.endsWith('Key') ? `${setting.value.length}` : setting.value
    return ok(
      name,
      name.endsWith('Key')
        ? { zh: `${shown} 个字符，取自 ${setting.from}`, en: `${shown} characters, from ${setting.from}` }
        : { zh: `${shown}，取自 ${setting.from}`, en: `${shown}, from ${setting.from}` },
    )
  })

const jsonOf = ({ exit: _, ...check }: Check): object => check

const MARKS = { ok: '✓', doubtful: '!', wrong: '✗', skipped: '-' } as const
const STYLES = { ok: 'green', doubtful: 'yellow', wrong: 'red', skipped: 'dim' } as const

/** Both languages, once where they are the same. */
const both = ({ zh, en }: Texts): string => (zh === en ? zh : `${zh} (${en})`)

function linesOf(checks: Check[], exit: ExitCode, io: Io): string[] {
  const lines = checks.flatMap(({ name, state, says, todo }) => [
    `${painted(io, STYLES[state], MARKS[state])} ${name}  ${both(says)}`,
    ...(todo === null ? [] : [`    → ${both(todo)}`]),
  ])
  const count = checks.filter(({ state }) => state === 'wrong').length
  const sum = exit === EXIT.done ? '没有发现问题 nothing is wrong' : `有 ${count} 处不对 wrong: ${count}`
  return [...lines, '', painted(io, exit === EXIT.done ? 'green' : 'red', sum)]
}
