import { expect, it } from 'vitest'
import { OPERATOR_COMMANDS, operate } from './operate.ts'
import { VERSION } from './version.ts'

async function asked(args: string[], env: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const io = { env, defaultHome: '/nowhere', say: (line: string) => out.push(line) }
  const exit = await operate(args, { ...io, complain: (line) => err.push(line) })
  return { exit, out: out.join('\n'), err: err.join('\n') }
}

it('the help lists every command with its ways to ask, in both languages', async () => {
  for (const args of [[], ['help'], ['--help'], ['help', 'no-such']]) {
    const { exit, out } = await asked(args)
    expect(exit).toBe(0)
    for (const [name, { usage, zh, en }] of Object.entries(OPERATOR_COMMANDS)) {
      for (const line of usage.split('\n')) expect(out).toContain(`  acopay-server ${name} ${line}`.trimEnd())
      expect(out).toContain(`${zh} ${en}`)
    }
  }
})

it('the help of one command shows that one, in the words by which it was called', async () => {
  for (const args of [
    ['help', 'migrate'],
    ['migrate', '--help'],
    ['migrate', '-h'],
  ]) {
    expect((await asked(args)).out).toMatch(/^ {2}acopay-server migrate \[status \| plan \| up\][^\n]*\n(?: .*\n?)+$/)
  }
  const called = (script: string) => asked(['migrate', '--help'], { npm_lifecycle_event: script })
  expect((await called('migrate')).out).toMatch(/^ {2}npm run migrate -- \[status/)
  expect((await called('acopay')).out).toMatch(/^ {2}npm run acopay -- migrate \[status/)
})

it('a command that does not exist, and one that is asked in a wrong way, end with 2 and a hint', async () => {
  for (const name of ['migrat', 'toString']) {
    expect(await asked([name])).toEqual({ exit: 2, out: '', err: expect.stringMatching(`没有命令 ${name}.*help`) })
  }
  const wrong = await asked(['rotate', 'sideways'])
  expect(wrong).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('\n  acopay-server rotate master ') })
  expect(await asked(['start', 'now'])).toMatchObject({ exit: 2 })
})

it('what a command cannot do is one line, and ends with 1', async () => {
  const { exit, out, err } = await asked(['migrate'], { DATABASE_URL: 'mysql://x' })
  expect([exit, out]).toEqual([1, ''])
  expect(err).toMatch(/^配置错误 configuration: DATABASE_URL [^\n]+$/)
})

it('says its version', async () => {
  for (const word of ['version', '--version']) expect((await asked([word])).out).toBe(`acopay-server ${VERSION}`)
})
