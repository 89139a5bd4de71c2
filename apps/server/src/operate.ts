/** `acopay-server COMMAND`: finds the operator's command, runs it, and says in one line what went wrong. */
import { archive } from './commands/archive.ts'
import { audit } from './commands/audit.ts'
import { backup } from './commands/backup.ts'
import { capacity } from './commands/capacity.ts'
import { channelAccount } from './commands/channel-account.ts'
import { config } from './commands/config.ts'
import { consoleUser } from './commands/console-user.ts'
import { migrate } from './commands/migrate.ts'
import type { OperatorCommand, OperatorIo } from './commands/operator-command.ts'
import { restore } from './commands/restore.ts'
import { restored } from './commands/restored.ts'
import { rotate } from './commands/rotate.ts'
import { seedOrders } from './commands/seed-orders.ts'
import { UsageError } from './commands/usage-error.ts'
import { main } from './main.ts'
import { DEFAULT_HOME } from './program-files.ts'
import { saidOf } from './start/config-error.ts'
import { environment } from './start/environment.ts'
import { VERSION } from './version.ts'

const EXIT = { done: 0, failed: 1, usage: 2 } as const

const start: OperatorCommand = {
  usage: '',
  zh: '运行网关，直到收到信号',
  en: 'run the gateway until a signal stops it',
  run: async (args, io) => {
    if (args.length > 0) throw new UsageError('')
    await main(io)
    return EXIT.done
  },
}

const version: OperatorCommand = {
  usage: '',
  zh: '版本',
  en: 'the version',
  run: async (_args, { say }) => {
    say(`acopay-server ${VERSION}`)
    return EXIT.done
  },
}

/** In the order in which the help lists them. */
export const OPERATOR_COMMANDS: Record<string, OperatorCommand> = {
  start,
  config,
  migrate,
  'console-user': consoleUser,
  'channel-account': channelAccount,
  rotate,
  audit,
  archive,
  backup,
  restore,
  restored,
  capacity,
  'seed-orders': seedOrders,
  version,
}

type Io = Omit<OperatorIo, 'defaultHome'> & { complain: (line: string) => void; defaultHome?: string }

/** Returns the exit code: 0 done, 1 refused or failed, 2 asked in a wrong way. */
export async function operate([name = 'help', ...args]: string[], io: Io): Promise<number> {
  const { env, say, complain, defaultHome = DEFAULT_HOME } = io
  if (['help', '--help', '-h'].includes(name)) return help(args[0], io)
  const known = name === '--version' ? 'version' : name
  const command = Object.hasOwn(OPERATOR_COMMANDS, known) ? OPERATOR_COMMANDS[known] : undefined
  if (command === undefined) {
    complain(`没有命令 ${name}，见 acopay-server help (no such command, see acopay-server help)`)
    return EXIT.usage
  }
  if (args.includes('--help') || args.includes('-h')) return help(known, io)
  try {
    return await command.run(args, { env: environment(env, process.cwd()), say, defaultHome })
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`用法 usage:\n${usageOf(known, command, env)}`)
      return EXIT.usage
    }
    complain(saidOf(error))
    return EXIT.failed
  }
}

function help(name: string | undefined, { env, say }: Io): number {
  const all = Object.entries(OPERATOR_COMMANDS)
  const shown = name !== undefined && Object.hasOwn(OPERATOR_COMMANDS, name) ? all.filter(([one]) => one === name) : all
  if (shown.length > 1) say(`翼辉支付网关 ACO Pay gateway ${VERSION}\n`)
  for (const [one, command] of shown) say(`${usageOf(one, command, env)}\n      ${command.zh} ${command.en}`)
  if (shown.length > 1) say(AFTER)
  return EXIT.done
}

const AFTER = `
设置见 acopay-server config 和 docs/settings.md。商户的命令见 acopay help
Settings: acopay-server config, docs/settings.md; merchants' commands: acopay help

退出码 exit codes: 0 完成 done, 1 拒绝或失败 refused or failed, 2 用法 usage`

/** A line for each way to ask, as the operator has called this program. */
const usageOf = (name: string, { usage }: OperatorCommand, env: Io['env']): string =>
  usage
    .split('\n')
    .map((line) => `  ${calledAs(name, env)} ${line}`.trimEnd())
    .join('\n')

function calledAs(name: string, { npm_lifecycle_event: script }: Io['env']): string {
  if (script === name) return `npm run ${name} --`
  return script === 'acopay' ? `npm run acopay -- ${name}` : `acopay-server ${name}`
}
