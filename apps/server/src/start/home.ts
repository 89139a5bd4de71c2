/** The folder at ACOPAY_HOME: what goes wrong with it is told by the name of its setting. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { type Config, ConfigError } from './config.ts'

/** Whether this process keeps files there: with all of them in the environment and the database, it needs no folder. */
export const isHomeNeeded = ({ masterKeys, databaseUrl, mode }: Config): boolean =>
  masterKeys.length === 0 || databaseUrl === null || mode === 'sandbox'

/** Makes the folder where it is needed, and does the work. Throws a ConfigError of one line when a file in it cannot be used. */
export async function inHome<Result>(config: Config, work: () => Promise<Result>): Promise<Result> {
  try {
    if (isHomeNeeded(config)) mkdirSync(config.home, { recursive: true, mode: 0o700 })
    return await work()
  } catch (error) {
    const { code, path: file } = error as NodeJS.ErrnoException
    if (code === undefined || typeof file !== 'string' || !isAlong(config.home, file)) throw error
    throw new ConfigError(
      `ACOPAY_HOME 指定的文件夹无法使用，请改为可写的文件夹 (this folder cannot be used, name one that can be written): ${config.home}: ${code}`,
    )
  }
}

/** Whether the file lies in the folder, or on the way to it. */
function isAlong(home: string, file: string): boolean {
  const [one, other] = [home, path.resolve(file)].map((name) => name + path.sep) as [string, string]
  return one.startsWith(other) || other.startsWith(one)
}
