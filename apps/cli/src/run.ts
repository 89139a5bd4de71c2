/** One run of the command line: finds the command, runs it, prints the result or the error, returns the exit code. */
import { ApiError, ConnectionError, ParameterError, SignatureError } from '@acopay/sdk'
import {
  type Command,
  EXIT,
  type ExitCode,
  type Flags,
  type Io,
  ownName,
  UnfinishedError,
  UsageError,
} from './command.ts'
import { billCommand } from './commands/bill.ts'
import { doctorCommand } from './commands/doctor.ts'
import { evidenceVerifyCommand } from './commands/evidence.ts'
import { keygenCommand } from './commands/keygen.ts'
import { listenCommand } from './commands/listen.ts'
import { logsCommand } from './commands/logs.ts'
import { listCommand, resendCommand } from './commands/notifications.ts'
import { closeCommand, evidenceCommand, placeCommand, queryCommand } from './commands/order.ts'
import { refundCommand, refundQueryCommand } from './commands/refund.ts'
import { timeCommand } from './commands/sandbox.ts'
import { signCommand, verifyCommand } from './commands/signature.ts'
import { TRIGGERS } from './commands/trigger.ts'
import { versionCommand } from './commands/version.ts'
import { completionScript } from './completion.ts'
import { parserOf, usageErrorOf } from './parser.ts'
import { SandboxError } from './sandbox.ts'

export const COMMANDS: Record<string, Command> = {
  'order place': placeCommand,
  'order query': queryCommand,
  'order close': closeCommand,
  'order evidence': evidenceCommand,
  'evidence verify': evidenceVerifyCommand,
  refund: refundCommand,
  'refund query': refundQueryCommand,
  bill: billCommand,
  'notifications list': listCommand,
  'notifications resend': resendCommand,
  'sandbox time': timeCommand,
  listen: listenCommand,
  ...TRIGGERS,
  logs: logsCommand,
  doctor: doctorCommand,
  keygen: keygenCommand,
  sign: signCommand,
  verify: verifyCommand,
  version: versionCommand,
}

/** Returns the exit code; that of the gateway's own program where the command is one of its. */
export async function run(argv: string[], io: Io): Promise<number> {
  const isJson = argv.includes('--json')
  let exit: ExitCode = EXIT.done
  const show = async (command: Command, flags: Flags): Promise<void> => {
    const output = await command.run(flags, io)
    if (output === null) return
    exit = output.exit
    io.out(isJson ? JSON.stringify(output.json, null, 2) : output.lines.join('\n'))
  }
  try {
    const parser = parserOf(COMMANDS, io, { run: show, help: helpText() })
    const [first, ...rest] = argv
    if (first === 'completion') {
      io.out(completionScript(rest[0], parser).trimEnd())
      return EXIT.done
    }
    if (isForServer(first, parser)) return await runServer(argv, io)
    const asked = first === undefined || first === 'help' ? [...rest, '--help'] : argv
    await parser.parseAsync(asked, { from: 'user' })
    return exit
  } catch (thrown) {
    const error = usageErrorOf(thrown)
    if (error === null) return EXIT.done
    const { exit: failed, json, lines } = failureOf(error, io)
    if (isJson) io.out(JSON.stringify({ error: json }, null, 2))
    else io.err(lines.join('\n'))
    return failed
  }
}

/** A word that is no merchant's command; the server knows those of operators. */
const isForServer = (word: string | undefined, parser: ReturnType<typeof parserOf>): boolean =>
  word !== undefined && /^[a-z]/.test(word) && word !== 'help' && !parser.commands.some((one) => one.name() === word)

function runServer(argv: string[], io: Io): Promise<number> {
  const server = io.server()
  if (server !== null) return server.run(argv)
  throw new UsageError(
    `没有命令 ${argv[0]}，见 acopay help；运维命令随网关安装：npm install @acopay/server (no such command, see acopay help; operators' commands come with the gateway: npm install @acopay/server)`,
  )
}

type Failure = { exit: ExitCode; json: { name: string; message: string } & Record<string, unknown>; lines: string[] }

function failureOf(error: unknown, io: Io): Failure {
  if (error instanceof UnfinishedError) {
    const { mchTradeNo } = error
    const { exit, json, lines } = failureOf(error.cause, io)
    const hint = [
      `商户订单号 mch_trade_no  ${mchTradeNo}`,
      `查单 to query it: ${ownName(io)} order query --mch-trade-no ${mchTradeNo}`,
      '再次下单请用同一单号 to place it again, use the same number.',
    ]
    return { exit, json: { ...json, mchTradeNo }, lines: [...lines, ...hint] }
  }
  if (error instanceof ApiError) {
    const { name, message, status, code, fieldErrors, isRetryable } = error
    return { exit: EXIT.apiError, json: { name, message, status, code, fieldErrors, isRetryable }, lines: [message] }
  }
  if (error instanceof SignatureError) {
    return failure(EXIT.signature, error, `应答未通过验签，不可相信 (${error.message})`)
  }
  if (error instanceof ConnectionError) {
    return failure(EXIT.connection, error, `没有得到应答，是否已执行未知，请查单 (${error.message})`)
  }
  if (error instanceof ParameterError) {
    const { exit, json, lines } = failure(EXIT.usage, error, `参数不正确 (wrong parameter): ${error.message}`)
    return { exit, json: { ...json, field: error.field }, lines }
  }
  if (error instanceof SandboxError) {
    return failure(EXIT.refused, error, `沙箱拒绝了这一步 (the sandbox refused this step): ${error.message}`)
  }
  if (error instanceof UsageError) return failure(EXIT.usage, error, error.message)
  const bug = error instanceof Error ? error : new Error(String(error))
  return failure(EXIT.bug, bug, `程序错误 (a bug of this program): ${bug.stack ?? bug.message}`)
}

const failure = (exit: ExitCode, { name, message }: Error, line: string): Failure => ({
  exit,
  json: { name, message },
  lines: [line],
})

function helpText(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { usage, zh, en }]) => `  acopay ${name} ${usage}\n      ${zh} ${en}`,
  )
  return `翼辉支付命令行 ACO Pay command line

${commands.join('\n')}
  acopay completion bash|zsh|fish
      输出命令补全脚本 print a script that completes commands and flags in this shell

  acopay start|migrate|audit …
      运维命令，见 acopay-server help operators' commands, where the server is installed too

  acopay COMMAND --help   该命令的用法 usage of one command

  --json          输出JSON print one JSON document, also for errors
  --config FILE   商户设置 settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey)
  --base-url, --mch-no, --app-no, --mch-private-key-file FILE, --platform-public-key
                  单项设置 single settings

设置依次取自：参数、环境变量 ACOPAY_*、--config 或 ACOPAY_CONFIG、.acopay/demo.json
Settings come from flags, then ACOPAY_* variables, then the file, then .acopay/demo.json.

退出码 exit codes: 0 完成 done, 1 业务失败 refused, 2 用法 usage, 3 平台错误 API error, 4 签名 signature, 5 连接 connection,
70 程序错误 bug`
}
