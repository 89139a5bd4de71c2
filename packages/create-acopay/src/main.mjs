#!/usr/bin/env node
/** `npm create acopay [folder]`: asks for what no flag says, and only at a terminal. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createShop, DEFAULTS, findDemo, Refusal, WRONG } from './create.mjs'

const HELP = `npm create acopay [文件夹 folder] -- [--thing 一杯咖啡] [--price 12.50] [--port 3000]
    [--config .acopay/demo.json] [--sdk acopay-sdk-0.2.0.tgz] [--yes]

做一个卖一样东西的小商店，通过 ACO Pay 网关收款。
Makes a small shop that sells one thing and takes payments through an ACO Pay gateway.

  --thing    卖什么 what is sold
  --price    多少钱，两位小数的元 for how much, in yuan with two decimals
  --port     商店的端口 the shop's port
  --config   网关的设置文件；默认在本文件夹及以上各级找 .acopay/demo.json
             the gateway's settings file; by default .acopay/demo.json is looked for here and above
  --sdk      @acopay/sdk 的包文件，在它发布之前使用 a tarball of @acopay/sdk, until it is published
  --yes      不提问，用默认值 asks nothing and takes the defaults`

const text = { type: 'string' }
const OPTIONS = {
  thing: text,
  price: text,
  port: text,
  config: text,
  sdk: text,
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
}

/** Only what a newcomer has to think of is asked. */
const QUESTIONS = {
  folder: '文件夹 folder',
  thing: '卖什么 what is sold',
  price: '多少钱（元） for how much (yuan)',
}

async function answers(given) {
  const asked = { ...DEFAULTS, ...given }
  if (given.yes || !process.stdin.isTTY) return asked
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const left = once(terminal, 'close').then(() => {
    throw new Refusal('\n没有生成 nothing was made')
  })
  left.catch(() => undefined)
  for (const [name, question] of Object.entries(QUESTIONS)) {
    while (given[name] === undefined) {
      const asking = terminal.question(`${question} [${DEFAULTS[name]}]: `).catch(() => left)
      const answer = (await Promise.race([asking, left])).trim() || DEFAULTS[name]
      const why = WRONG[name](answer)
      if (why === null) given[name] = asked[name] = answer
      else console.log(why)
    }
  }
  terminal.close()
  return asked
}

function readFlags() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
    if (positionals.length > 1) throw new Refusal('只要一个文件夹 only one folder, please')
    return positionals.length === 0 ? values : { ...values, folder: positionals[0] }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(`${error.message}\n\n${HELP}`)
  }
}

async function main() {
  const flags = readFlags()
  if (flags.help) return console.log(HELP)
  const { folder, thing, price, port, sdk = null, config = findDemo(process.cwd()) } = await answers(flags)
  createShop({ folder, thing, price, port, sdk, config })
  console.log(`已生成 created: ${folder}\n\n  cd ${folder}\n  npm install\n  npm start\n`)
  if (config === null) {
    console.log('没有找到网关的设置，请填写 .env；沙箱：在网关的仓库中 npm start')
    console.log("No gateway settings were found: fill in .env. A sandbox: npm start in the gateway's repository.")
  }
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 22 || (major === 22 && minor < 18)) {
    console.log(`商店需要 Node 22.18 或更新版本，这里是 ${process.versions.node} (the shop needs Node 22.18 or newer)`)
  }
}

main().catch((error) => {
  console.error(error instanceof Refusal ? error.message : error)
  process.exitCode = 1
})
