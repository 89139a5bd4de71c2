/** The environment of this process, and what its `.env` file adds to it. Who starts a process reads it once, first of all. */
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { ConfigError } from './config-error.ts'
import { type EnvLine, readEnvText } from './env-file.ts'
import { OTHER_VARIABLES } from './other-variables.ts'
import { fileVariable, isSecret, SETTING_NAMES } from './settings.ts'

type Env = Record<string, string | undefined>

/** Read before a file could say them. */
const TOO_LATE = ['ACOPAY_ENV_FILE', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE']

const SECRETS = new Set([
  ...SETTING_NAMES.filter(isSecret),
  ...Object.keys(OTHER_VARIABLES).filter((name) => OTHER_VARIABLES[name]?.isSecret),
])

type Origin = { file: string; lines: Map<string, number>; warnings: string[] }

/** Which variables of an environment a file has said. */
const ORIGINS = new WeakMap<Env, Origin>()

/** `FILE:LINE` where the file has said this variable, else null. */
export function lineInEnvFile(env: Env, name: string): string | null {
  const origin = ORIGINS.get(env)
  const line = origin?.lines.get(name)
  return origin === undefined || line === undefined ? null : `${origin.file}:${line}`
}

/** The file that was read, if there is one, and what its reader should be told. */
export const envFileOf = (env: Env): { file: string; warnings: string[] } | null => ORIGINS.get(env) ?? null

/**
 * `own` with what its file says: `ACOPAY_ENV_FILE`, or `.env` in this folder. The environment wins over the file. Variables that are
 * no settings, such as those of a signer, are also added to `own` itself, which is where their readers look. Throws a ConfigError.
 */
export function environment(own: Env, folder: string): Env {
  const named = own.ACOPAY_ENV_FILE || null
  if (named === 'none') return own
  const file = path.resolve(folder, named ?? '.env')
  const text = readIfThere(file, named !== null)
  if (text === null) return own
  const { lines, problems } = readEnvText(text)
  const refused = [
    ...problems,
    ...lines
      .filter(({ name }) => TOO_LATE.includes(name))
      .map(({ name, line }) => ({
        line,
        problem: `${name} 只能在环境变量里设置 (can be set in the environment only)`,
      })),
  ]
  if (refused.length > 0) {
    throw new ConfigError(...refused.map(({ line, problem }) => `${problem} (${file}:${line})`))
  }
  return merged(own, lines, { file, isNamed: named !== null })
}

function merged(own: Env, lines: EnvLine[], { file, isNamed }: { file: string; isNamed: boolean }): Env {
  const added = lines.filter(({ name, value }) => value !== '' && !isSaid(own, name))
  const env: Env = { ...own }
  for (const { name, value } of added) {
    env[name] = value
    if (!isSetting(name)) own[name] = value
  }
  const holdsSecret = lines.some(({ name, value }) => value !== '' && SECRETS.has(name))
  const warnings = looseRights(file, { isNamed, holdsSecret, isStrict: env.ACOPAY_MODE === 'production' })
  ORIGINS.set(env, { file, lines: new Map(added.map(({ name, line }) => [name, line])), warnings })
  return env
}

const isSetting = (name: string): boolean =>
  (SETTING_NAMES as string[]).some((one) => one === name || fileVariable(one) === name)

/** Whether the environment says it, in one of both ways in which a secret can be said. */
const isSaid = (own: Env, name: string): boolean =>
  [name, fileVariable(name), name.replace(/_FILE$/, '')].some((one) => Boolean(own[one]))

/** Null where there is none and none was named. */
function readIfThere(file: string, isNamed: boolean): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    if (!isNamed && (code === 'ENOENT' || code === 'EISDIR')) return null
    const variable = isNamed ? 'ACOPAY_ENV_FILE 指定的设置文件' : '设置文件'
    throw new ConfigError(`${variable}读不到 (the settings file cannot be read): ${file}: ${code}`)
  }
}

type Rights = { isNamed: boolean; holdsSecret: boolean; isStrict: boolean }

/**
 * Who can write this file decides what the gateway trusts. Throws where that is a stranger, or where in production strangers can read
 * a secret in it; a sandbox only warns of that.
 */
function looseRights(file: string, { isNamed, holdsSecret, isStrict }: Rights): string[] {
  const user = process.getuid?.()
  // Windows has other rights, which Node does not tell.
  if (user === undefined) return []
  const { mode, uid } = statSync(file)
  if (mode & 0o002)
    throw new ConfigError(`设置文件谁都能改，请 chmod o-rwx (everyone may write this settings file): ${file}`)
  if (!isNamed && uid !== user && uid !== 0) {
    throw new ConfigError(
      `当前目录的设置文件属于别的用户，确要使用请设 ACOPAY_ENV_FILE (the settings file of this folder belongs to another user: set ACOPAY_ENV_FILE if it is meant): ${file}`,
    )
  }
  if (!holdsSecret || (mode & 0o004) === 0) return []
  const loose = `设置文件里有秘密而别的用户能读，请 chmod o-rwx (this settings file holds a secret, and other users may read it): ${file}`
  if (isStrict) throw new ConfigError(loose)
  return [loose]
}
