/** Where a setting comes from: the environment, a file that holds it alone, or a `.env` file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { lineInEnvFile } from './environment.ts'
import { fileVariable, isSecret, type SettingName } from './settings.ts'

export type Env = Record<string, string | undefined>

/** Longer than any secret, and short enough that a wrong file costs nothing. */
const SECRET_FILE_BYTES = 65_536

export type Found = {
  /** Null where it is not set. */
  text: string | null
  /** The file that holds the text alone, if it does. */
  file: string | null
  /** The file and line that say it, or that name the file; null: the environment. */
  line: string | null
  /** One line, when it cannot be read. */
  problem: string | null
}

const UNSET: Found = { text: null, file: null, line: null, problem: null }

/** An empty variable counts as not set. No problem repeats what a file holds. */
export function findSetting(env: Env, name: SettingName): Found {
  const variable = fileVariable(name)
  const [text, file] = [env[name] || null, (isSecret(name) && env[variable]) || null]
  if (file === null) return { ...UNSET, text, line: text === null ? null : lineInEnvFile(env, name) }
  const found: Found = { ...UNSET, file, line: lineInEnvFile(env, variable) }
  if (text !== null) {
    return { ...found, problem: `${name} 与 ${variable} 只能设一个 (set one of the two, not both)` }
  }
  const read = readSecretFile(file)
  if ('text' in read) return { ...found, text: read.text }
  return { ...found, problem: `${variable} 指定的文件${read.zh} (its file ${read.en}): ${file}` }
}

type Unread = { zh: string; en: string }

/** What the file holds, without the line ends at its end. Links are followed: Kubernetes makes secrets so. */
function readSecretFile(file: string): { text: string } | Unread {
  let opened: number | null = null
  try {
    opened = openSync(file, 'r')
    if (!fstatSync(opened).isFile()) return { zh: '不是普通文件', en: 'is no regular file' }
    const bytes = Buffer.alloc(SECRET_FILE_BYTES + 1)
    const length = readSync(opened, bytes, 0, bytes.length, 0)
    if (length > SECRET_FILE_BYTES) return { zh: '太大', en: `is longer than ${SECRET_FILE_BYTES} bytes` }
    const text = withoutMark(bytes.toString('utf8', 0, length)).replace(/[\r\n]+$/, '')
    return text === '' ? { zh: '是空的', en: 'is empty' } : { text }
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    return { zh: `读不到：${code}`, en: `cannot be read: ${code}` }
  } finally {
    if (opened !== null) closeSync(opened)
  }
}

/** Without the mark that Windows' editors put at the beginning of a file. */
const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '')
