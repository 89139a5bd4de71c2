/** What is wrong with the settings, one line each; no line repeats a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(...problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** What an operator is told of an error: a line, or one for each problem of the settings. */
export function saidOf(error: unknown): string {
  if (error instanceof ConfigError)
    return error.problems.map((problem) => `配置错误 configuration: ${problem}`).join('\n')
  return error instanceof Error ? error.message : String(error)
}
