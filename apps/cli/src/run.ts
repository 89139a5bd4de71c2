/** One run of the command line: finds the command, runs it, prints what it found, says how it ended. */
import { parseArgs } from 'node:util'
import { AcoPayError, ApiError, ConnectionError, ParameterError, SignatureError } from '@acopay/sdk'
import { type Command, EXIT, type ExitCode, type Io, UsageError } from './command.ts'
import { keygenCommand } from './commands/keygen.ts'
import { closeCommand, evidenceCommand, placeCommand, queryCommand } from './commands/order.ts'
import { signCommand, verifyCommand } from './commands/signature.ts'

const COMMANDS: Record<string, Command> = {
  'order place': placeCommand,
  'order query': queryCommand,
  'order close': closeCommand,
  'order evidence': evidenceCommand,
  keygen: keygenCommand,
  sign: signCommand,
  verify: verifyCommand,
}

export async function run(argv: string[], io: Io): Promise<ExitCode> {
  const isJson = argv.includes('--json')
  try {
    const words = argv.slice(0, argv[0] === 'order' ? 2 : 1)
    const command = COMMANDS[words.join(' ')]
    if (argv.includes('--help') || argv.includes('-h') || words[0] === undefined || words[0] === 'help') {
      io.out(helpText())
      return EXIT.done
    }
    if (command === undefined) {
      throw new UsageError(`没有命令 ${words.join(' ')}，见 acopay help (no such command, see acopay help)`)
    }
    const { exit, json, lines } = await command.run(readFlags(command, argv.slice(words.length)), io)
    io.out(isJson ? JSON.stringify(json, null, 2) : lines.join('\n'))
    return exit
  } catch (error) {
    const { exit, json } = failureOf(error)
    if (isJson) io.out(JSON.stringify({ error: json }, null, 2))
    else io.err(json.message)
    return exit
  }
}

function readFlags(command: Command, args: string[]) {
  try {
    const options = { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean' } } as const
    return parseArgs({ args, options, allowPositionals: false }).values as Record<string, string | boolean | undefined>
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'wrong flags'}；见 acopay help (see acopay help)`)
  }
}

type Failure = { exit: ExitCode; json: { message: string } & Record<string, unknown> }

function failureOf(error: unknown): Failure {
  if (!(error instanceof AcoPayError || error instanceof UsageError)) throw error
  const { name, message } = error
  if (error instanceof ApiError) {
    const { status, code, fieldErrors, isRetryable } = error
    return { exit: EXIT.apiError, json: { name, message, status, code, fieldErrors, isRetryable } }
  }
  if (error instanceof SignatureError) return { exit: EXIT.signature, json: { name, message } }
  if (error instanceof ConnectionError) return { exit: EXIT.connection, json: { name, message } }
  const field = error instanceof ParameterError ? { field: error.field } : {}
  return { exit: EXIT.usage, json: { name: error instanceof ParameterError ? name : 'UsageError', message, ...field } }
}

function helpText(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { usage, zh, en }]) => `  acopay ${name} ${usage}\n      ${zh} ${en}`,
  )
  return `翼辉支付命令行 ACO Pay command line

${commands.join('\n')}

  --json          输出JSON one JSON document, errors too
  --config FILE   商户设置 settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey)
  --base-url, --mch-no, --app-no, --platform-public-key   单项设置 single settings

设置依次取自：参数、环境变量 ACOPAY_*、--config 或 ACOPAY_CONFIG、.acopay/demo.json
Settings come from flags, then ACOPAY_* variables, then the file, then .acopay/demo.json.

退出码 exit codes: 0 完成 done, 1 业务失败 refused, 2 用法 usage, 3 平台错误 API error, 4 签名 signature, 5 连接 connection`
}
