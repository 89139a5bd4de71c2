/** Builds the parser of the command line from the table of commands. */
import { CommanderError, Option, Command as Parser } from 'commander'
import { type Command, type Flags, type Io, type OptionShape, UsageError } from './command.ts'

type Run = (command: Command, flags: Flags) => Promise<void>

/** `commands` by their words; a first word without an entry of its own needs a second one. `help` is printed by `acopay --help`. */
export function parserOf(commands: Record<string, Command>, io: Io, { run, help }: { run: Run; help: string }): Parser {
  const root = new Parser('acopay')
  root
    .exitOverride()
    // Errors are thrown, and printed in one place.
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: () => {}, outputError: () => {} })
    // Else `refund` would read the flags of `refund query`.
    .enablePositionalOptions()
    .helpCommand(false)
    .helpOption('-h, --help', '用法 usage')
  root.helpInformation = () => `${help}\n`
  unknownBelow(root)
  for (const [words, command] of Object.entries(commands)) addCommand(root, words.split(' '), { command, run })
  return root
}

function addCommand(root: Parser, words: string[], { command, run }: { command: Command; run: Run }): void {
  const parent = words.slice(0, -1).reduce(groupIn, root)
  const parser = parent.command(words.at(-1) as string).description(`${command.zh} ${command.en}`)
  parser.usage(command.usage).allowExcessArguments()
  const shapes: Record<string, OptionShape> = { ...command.options, json: JSON_OPTION }
  const options = Object.entries(shapes).map(([name, { type, choices, says }]) => {
    const option = new Option(type === 'string' ? `--${name} <text>` : `--${name}`, says ?? '')
    return choices === undefined ? option : option.choices(choices)
  })
  for (const option of options) parser.addOption(option)
  parser.action(async () => {
    const { positional } = command
    const [word, ...rest] = positional === undefined ? [undefined, ...parser.args] : parser.args
    const [surplus] = rest
    if (surplus !== undefined) throw new UsageError(`多余的参数 ${surplus}，见 acopay help (surplus, see acopay help)`)
    const given = parser.opts<Flags>()
    const flags = Object.fromEntries(options.map((one) => [one.name(), given[one.attributeName()]]))
    await run(command, positional === undefined ? flags : { ...flags, [positional]: word })
  })
}

const JSON_OPTION: OptionShape = { type: 'boolean', says: '输出JSON print JSON' }

function groupIn(parent: Parser, word: string): Parser {
  const known = parent.commands.find((one) => one.name() === word)
  if (known !== undefined) return known
  const group = parent.command(word)
  unknownBelow(group)
  return group
}

/** Its words name no command, unless one more word follows that does. */
function unknownBelow(group: Parser): void {
  group.allowExcessArguments().action(() => {
    const words = [group.parent === null ? [] : group.name(), ...group.args.slice(0, 1)].flat().join(' ')
    throw new UsageError(`没有命令 ${words}，见 acopay help (no such command, see acopay help)`)
  })
}

/** The error of the parser, for people; null when it has only printed what was asked for, such as help. */
export function usageErrorOf(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error
  if (error.exitCode === 0) return null
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ')
  return new UsageError(`参数有误 (wrong flags): ${message}；见 acopay help (see acopay help)`)
}
