/** What is made of the table of settings: docs/settings.md in both languages, .env.example, and a schema for the Helm chart. */
import { OTHER_VARIABLES } from '../apps/server/src/start/other-variables.ts'
import { type Both, GROUPS } from '../apps/server/src/start/setting-kinds.ts'
import { fileVariable, isSecret, SETTING_NAMES, SETTINGS, type Setting } from '../apps/server/src/start/settings.ts'
import { table, WRITTEN_BY } from './markdown-table.ts'
import type { Tongue } from './wire-texts.ts'

const settings: [string, Setting][] = Object.entries(SETTINGS)
const groups = Object.entries(GROUPS) as [Setting['group'], Both][]

const HEAD = {
  zh: ['变量', '默认', '取值', '作用', '用于', '始于'],
  en: ['variable', 'default', 'values', 'what it does', 'counts in', 'since'],
}

const COUNTS = {
  gateway: { zh: '网关', en: 'gateway' },
  both: { zh: '网关、命令', en: 'gateway, commands' },
}

const SECRET = { zh: '秘密：', en: 'secret: ' }

/** Columns of a table are told apart by bars. */
const inCell = (text: string): string => text.replaceAll('|', '\\|')

function rowsOf(group: string, tongue: Tongue): string[][] {
  return settings
    .filter(([, setting]) => setting.group === group)
    .map(([name, { kind, otherwise, unset, inCommands, since, ...said }]) => [
      `\`${name}\``,
      otherwise === null ? (unset?.[tongue] ?? '') : `\`${otherwise}\``,
      (kind.secret === null ? '' : SECRET[tongue]) + inCell(kind.values[tongue]),
      inCell(said[tongue]),
      COUNTS[inCommands ? 'both' : 'gateway'][tongue],
      since,
    ])
}

const tables = (tongue: Tongue): string =>
  groups.map(([group, said]) => `### ${said[tongue]}\n\n${table(HEAD[tongue], rowsOf(group, tongue))}`).join('\n\n')

const READERS = {
  start: { zh: '启动', en: 'the start' },
  cli: { zh: '商户的命令行', en: "the merchants' command line" },
  signer: { zh: '`signers/pkcs11.py`', en: '`signers/pkcs11.py`' },
}

const others = (tongue: Tongue): string =>
  table(
    { zh: ['变量', '读取者', '默认', '作用', '始于'], en: ['variable', 'read by', 'default', 'what it does', 'since'] }[
      tongue
    ],
    Object.entries(OTHER_VARIABLES).map(([name, { by, otherwise, since, ...said }]) => [
      `\`${name}\``,
      READERS[by][tongue],
      otherwise[tongue],
      said[tongue],
      since,
    ]),
  )

const secretFiles = SETTING_NAMES.filter(isSecret)
  .map((name) => `\`${fileVariable(name)}\``)
  .join(', ')

export function settingsPage(tongue: Tongue): string {
  return tongue === 'zh'
    ? `# 设置

[English](settings.md)

${WRITTEN_BY}

设置是环境变量，启动时检查一次：有错的每项各打印一行，然后退出，退出码为1。空的变量等于没有设置。以 \`ACOPAY_\` 开头而不在此列的变量，启动时会指出，并给出可能想写的那个。

先看将会怎样：

\`\`\`sh
npm run config                        # 每项的值与来源，秘密只显示长度
npm run config -- --check             # 只检查；有错时退出码为1
npm run config -- --check --connect   # 也连接数据库：版本、主密钥、权限
npm run config -- --json              # 给程序读
\`\`\`

## 设置从哪里来

| 顺序 | 来源 |
|---|---|
| 1 | 环境变量 |
| 2 | 当前目录的 \`.env\`，或 \`ACOPAY_ENV_FILE\` 指定的文件；\`none\` 表示不读取 |
| 3 | 默认值 |

网关和它的命令都读取 \`.env\`，生产模式也是；商户的命令行不读。仓库里的 \`.env.example\` 列出每项设置，可复制使用。每行一个 \`NAME=value\`；值含 \`#\`、\`$\`、反斜杠或引号时用单引号括起来，因为 Node、shell、systemd 和 Docker Compose 对这些的理解不同。写错的行带行号报错，启动失败。文件里的其他变量（例如 \`PKCS11_MODULE\`）也会进入网关的环境。

\`.env\` 谁都能写、或属于别的用户（用 \`ACOPAY_ENV_FILE\` 指定的除外）时，启动失败。里面有秘密而别的用户能读时，沙箱提醒，生产模式启动失败：\`chmod 600 .env\`。

## 存放在文件里的秘密

每个秘密都可以放在单独的文件里，由变量指定：${secretFiles}。文件末尾的换行会去掉；\`ACOPAY_MASTER_KEY_FILE\` 可以就是 \`master.key\`，每行一个；\`ACOPAY_PLATFORM_KEYS_FILE\` 里也可以是 PEM。两个变量都设、文件不存在、为空或超过64 KiB，各打印一行，不含内容。启动时读取一次；换了密钥后请重新启动（[密钥](keys.zh-CN.md)）。

| 来源 | 怎样写 |
|---|---|
| systemd | \`LoadCredential=master-key:/etc/acopay/master.key\` 与 \`Environment=ACOPAY_MASTER_KEY_FILE=%d/master-key\` |
| Docker Compose | \`secrets:\` 与 \`ACOPAY_MASTER_KEY_FILE: /run/secrets/master-key\` |
| Kubernetes | 挂载为卷的 Secret 与 \`ACOPAY_MASTER_KEY_FILE: /etc/acopay/secrets/master-key\` |

## 网关的设置

${tables('zh')}

哪个测试守住哪个默认值：[settings-tested.zh-CN.md](settings-tested.zh-CN.md)。频率限制记在各进程的内存里：*n* 个进程就允许 *n* 倍。

## 其他变量

${others('zh')}
`
    : `# Settings

[中文](settings.zh-CN.md)

${WRITTEN_BY}

Settings are environment variables, checked once at the start: each that is wrong is a line, and the process ends with 1. An empty one
counts as not set. A variable that begins with \`ACOPAY_\` and is none of these is named at the start, with the one that may be meant.

See first what they come to:

\`\`\`sh
npm run config                        # each value and where it comes from; of secrets only how long they are
npm run config -- --check             # only checks; ends with 1 if anything is wrong
npm run config -- --check --connect   # asks the database too: its version, the master key, rights
npm run config -- --json              # for programs
\`\`\`

## Where they come from

| order | from |
|---|---|
| 1 | the environment |
| 2 | \`.env\` in the current folder, or the file that \`ACOPAY_ENV_FILE\` names; \`none\`: no file is read |
| 3 | the default |

The gateway and its commands read \`.env\`, in production too; the merchants' command line does not. \`.env.example\` in the repository
lists every setting, to be copied. Each line is one \`NAME=value\`; a value with \`#\`, \`$\`, a backslash or a quote goes into single
quotes, because Node, shells, systemd and Docker Compose read these differently. A wrong line is an error with its number, and the start
fails. Other variables in the file, \`PKCS11_MODULE\` for example, go into the gateway's environment too.

The start fails where everyone may write \`.env\`, or where it belongs to another user (unless \`ACOPAY_ENV_FILE\` names it). Where it holds a
secret that other users may read, a sandbox says so and production does not start: \`chmod 600 .env\`.

## Secrets in files

Each secret may lie in a file of its own, which a variable names: ${secretFiles}.
The line end at its end is cut off; \`ACOPAY_MASTER_KEY_FILE\` may be a \`master.key\`, one key a line; \`ACOPAY_PLATFORM_KEYS_FILE\` may hold
PEM. Both variables at once, and a file that is missing, empty or longer than 64 KiB, are a line each, which never repeats the content. Files
are read once, at the start; start again after a key was changed ([keys](keys.md)).

| from | how |
|---|---|
| systemd | \`LoadCredential=master-key:/etc/acopay/master.key\` and \`Environment=ACOPAY_MASTER_KEY_FILE=%d/master-key\` |
| Docker Compose | \`secrets:\` and \`ACOPAY_MASTER_KEY_FILE: /run/secrets/master-key\` |
| Kubernetes | a Secret mounted as a volume and \`ACOPAY_MASTER_KEY_FILE: /etc/acopay/secrets/master-key\` |

## Settings of the gateway

${tables('en')}

Which test feels which default: [settings-tested.md](settings-tested.md). Rate limits count in each process's memory: *n* processes allow
*n* times as much.

## Other variables

${others('en')}
`
}

/** As people read it in a terminal. */
const withoutLinks = (text: string): string => text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1').replaceAll('**', '')

export const envExample = (): string =>
  `${[
    '# 翼辉支付网关的设置 Settings of the ACO Pay gateway',
    '# 复制为 .env，chmod 600，去掉要改的行前的 # (copy to .env, chmod 600, and take away the # of what you change)',
    '# 说明 what they mean: docs/settings.zh-CN.md, docs/settings.md. 由 npm run docs 生成 (made by it)',
    ...groups.flatMap(([group, { zh, en }]) => [
      '',
      `## ${zh} ${en}`,
      ...settings.filter(([, setting]) => setting.group === group).flatMap(exampleOf),
    ]),
  ].join('\n')}\n`

const exampleOf = ([name, { kind, otherwise, zh, en }]: [string, Setting]): string[] => [
  '',
  `# ${withoutLinks(zh)}`,
  `# ${withoutLinks(en)}`,
  `#${name}=${otherwise ?? ''}`,
  ...(kind.secret === null ? [] : [`#${fileVariable(name)}=`]),
]

/** Of the settings that are no secrets: those the chart takes from a Secret. */
export const chartSchema = (): string =>
  `${JSON.stringify(
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Settings of the gateway, by their variables. Made by npm run docs.',
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        settings
          .filter(([, { kind }]) => kind.secret === null)
          .map(([name, { kind, otherwise, en }]) => [
            name,
            { ...kind.schema, ...(otherwise === null ? {} : { default: otherwise }), description: withoutLinks(en) },
          ]),
      ),
    },
    null,
    2,
  )}\n`
