/** `config`: which settings this process would have, where each comes from, and what is wrong with them. Never shows a part of a secret. */
import { parseArgs } from 'node:util'
import { type Checked, checkConfig } from '../start/config.ts'
import type { Kind } from '../start/setting-kinds.ts'
import { SETTINGS, type Setting } from '../start/settings.ts'
import { type Remarks, remarksOf, whenConnected } from './config-checks.ts'
import type { OperatorCommand } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = '[--check] [--connect] [--json]'

export const config: OperatorCommand = {
  usage: USAGE,
  zh: '显示每项设置的值与来源，秘密不显示；--check 只检查，有错时退出码为1；--connect 也连接数据库',
  en: 'shows each setting and where it comes from, secrets hidden; --check only checks, and ends with 1 if anything is wrong; --connect asks the database too',
  async run(args, { env, defaultHome, say }) {
    const { check, connect, json } = readOptions(args)
    const checked = checkConfig(env, defaultHome)
    const remarks = remarksOf(env, checked)
    if (connect && checked.config !== null) await whenConnected(checked.config, remarks)
    const rows = checked.settings.map(rowOf).map((row) => withHome(row, defaultHome))
    if (json) say(JSON.stringify({ ...(check ? {} : { settings: rows }), ...remarks }, null, 2))
    else for (const line of [...(check ? [] : tableOf(rows)), ...linesOf(remarks)]) say(line)
    return remarks.problems.length > 0 ? 1 : 0
  },
}

function readOptions(args: string[]): { check: boolean; connect: boolean; json: boolean } {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({ args, options: { check: flag, connect: flag, json: flag } }).values
  } catch {
    throw new UsageError(USAGE)
  }
}

type Row = {
  name: string
  /** Null where it is not set and has no default, and of every secret. */
  value: string | null
  source: 'default' | 'environment' | 'file'
  /** The file, and of one with several settings the line. */
  from: string | null
  /** Of a secret that is set: how long it is, or, of a database's address that is understood, where it leads. */
  secret?: { characters: number } | { place: string }
}

function rowOf({ name, text, file, line }: Checked): Row {
  const { kind, otherwise }: Setting = SETTINGS[name]
  const from = file ?? line
  if (text === null && from === null) return { name, value: otherwise, source: 'default', from }
  const row: Row = { name, value: null, source: from === null ? 'environment' : 'file', from }
  if (text === null) return row
  if (isShown(kind, text)) return { ...row, value: text }
  const place = kind.secret?.place(text) ?? null
  return { ...row, secret: place === null ? { characters: text.length } : { place } }
}

/** Its default is no text of the table. */
const withHome = (row: Row, defaultHome: string): Row =>
  row.name === 'ACOPAY_HOME' && row.source === 'default' ? { ...row, value: defaultHome } : row

/** An address may hold a password, and what is no right address may be one. */
const isShown = (kind: Kind<unknown, unknown>, text: string): boolean =>
  kind.secret === null && (kind.isRepeated || (!text.includes('@') && 'value' in kind.read(text)))

const SOURCES = { default: '默认 default', environment: '环境变量 environment', file: '' }

function tableOf(rows: Row[]): string[] {
  const cells = rows.map((row) => [row.name, shown(row), row.from ?? SOURCES[row.source]])
  const width = (column: number): number => Math.max(...cells.map((cell) => cell[column]?.length ?? 0))
  const [names, values] = [width(0), Math.min(width(1), VALUES_MAX)]
  return cells.map(([name = '', value = '', from = '']) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${from}`)
}

/** A longer value pushes only its own origin aside. */
const VALUES_MAX = 40

function shown({ value, secret }: Row): string {
  if (secret !== undefined)
    return 'place' in secret ? `(set: ${secret.place})` : `(set, ${secret.characters} characters)`
  if (value === null) return '-'
  // On one line, whatever the text holds.
  return /\p{Cc}/u.test(value) ? JSON.stringify(value) : value
}

const linesOf = ({ problems, warnings }: Remarks): string[] => [
  ...problems.map((problem) => `错误 error: ${problem}`),
  ...warnings.map((warning) => `注意 warning: ${warning}`),
  ...(problems.length > 0 ? [] : ['设置可用 the settings are fine']),
]
