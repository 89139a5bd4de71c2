/** What an operator's command is given, and what it looks like; `acopay-server help` lists them. */
export type OperatorIo = {
  env: Record<string, string | undefined>
  /** Where the gateway keeps its files unless ACOPAY_HOME says otherwise. */
  defaultHome: string
  say: (line: string) => void
}

export type OperatorCommand = {
  /** The options, as the help shows them after the command's name. */
  usage: string
  zh: string
  en: string
  /** Returns the exit code. Throws an error of one line. */
  run: (args: string[], io: OperatorIo) => Promise<number>
}
