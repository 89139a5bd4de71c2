/** What is wrong with the settings, one line each; no line repeats a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(...problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}
