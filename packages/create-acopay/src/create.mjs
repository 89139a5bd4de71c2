/** Makes the folder of a new shop. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { copyTemplate } from './template.mjs'

export const DEFAULTS = { folder: 'acopay-shop', thing: '一杯咖啡 A coffee', price: '12.50', port: '3000' }

/** What is wrong, for the person at the terminal. */
export class Refusal extends Error {}

/** Each answers what is wrong with a value, or null. */
export const WRONG = {
  folder: (folder) => {
    if (folder === '') return '请给出文件夹 name a folder'
    if (!existsSync(folder)) return null
    if (!statSync(folder).isDirectory()) return `${folder} 不是文件夹 is not a folder`
    return readdirSync(folder).length === 0
      ? null
      : `文件夹 ${folder} 不是空的，没有改动 is not empty; nothing was changed`
  },
  thing: (thing) =>
    /^[^\p{Cc}]{1,128}$/u.test(thing) && quoted(thing) !== null
      ? null
      : '--thing 应为 1 至 128 个字符，单行 should be 1 to 128 characters on one line',
  price: (price) =>
    /^(?:0|[1-9]\d{0,5})\.\d{2}$/.test(price) && price !== '0.00'
      ? null
      : '--price 应为两位小数的元，0.01 至 999999.99 should be yuan with two decimals, such as 12.50',
  port: (port) =>
    /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
      ? null
      : '--port 应为 1 至 65535 的整数 should be a number from 1 to 65535',
  config: (config) => (config === null || existsSync(config) ? null : `--config：没有文件 ${config} no such file`),
  sdk: (sdk) => (sdk === null || existsSync(sdk) ? null : `--sdk：没有文件 ${sdk} no such file`),
}

/**
 * Makes the shop. `config`: the gateway's settings file, null where there is none; `sdk`: a tarball of @acopay/sdk to be
 * installed from, null for the registry.
 * @param {{ folder: string, thing: string, price: string, port: string, config: string | null, sdk: string | null }} asked
 */
export function createShop(asked) {
  for (const [name, wrong] of Object.entries(WRONG)) {
    const why = wrong(asked[name])
    if (why !== null) throw new Refusal(why)
  }
  const { folder, sdk } = asked
  mkdirSync(folder, { recursive: true })
  copyTemplate(folder)
  const manifestFile = path.join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  manifest.name = packageName(folder)
  if (sdk !== null) manifest.dependencies['@acopay/sdk'] = `file:${path.resolve(sdk)}`
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(path.join(folder, '.gitignore'), 'node_modules/\n.env\n.acopay/\nshop.db*\n')
  writeFileSync(path.join(folder, '.env'), settingsText(asked), { mode: 0o600 })
}

/** The sandbox's settings file, in this folder or one above; null where there is none. */
export function findDemo(from) {
  const file = path.join(from, '.acopay', 'demo.json')
  if (existsSync(file)) return file
  const above = path.dirname(from)
  return above === from ? null : findDemo(above)
}

function packageName(folder) {
  const name = path.basename(path.resolve(folder)).toLowerCase()
  return /^[a-z0-9][a-z0-9._-]{0,200}$/.test(name) ? name : DEFAULTS.folder
}

/** In an .env file a text ends at its own kind of quote, and nothing is escaped; null where it has all three kinds. */
function quoted(text) {
  const quote = ["'", '`', '"'].find((one) => !text.includes(one))
  return quote === undefined ? null : `${quote}${text}${quote}`
}

const settingsText = ({ thing, price, port, config }) => `# 卖什么，多少钱（元） What is sold, and for how much (yuan)
SHOP_THING=${quoted(thing)}
SHOP_PRICE=${price}
PORT=${port}
# 网关能访问到的商店地址；不在本机时用 https Where the gateway reaches the shop; https unless it is on this machine
# SHOP_URL=https://shop.example.com
# 商户的设置：一个文件，或下面五个变量 The merchant's settings: a file, or these five variables
${config === null ? '# ACOPAY_CONFIG=/path/to/.acopay/demo.json' : `ACOPAY_CONFIG=${quoted(path.resolve(config))}`}
# ACOPAY_BASE_URL=
# ACOPAY_MCH_NO=
# ACOPAY_APP_NO=
# ACOPAY_MCH_PRIVATE_KEY=
# ACOPAY_PLATFORM_PUBLIC_KEY=
`
