import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { testIo } from '../../../test/support/cli.ts'
import { run } from './run.ts'

let scripts: Record<string, string>
beforeAll(async () => {
  const written = ['bash', 'zsh', 'fish'].map(async (shell) => {
    const io = testIo()
    expect(await run(['completion', shell], io)).toBe(0)
    return [shell, `${io.printed.out[0]}\n`]
  })
  scripts = Object.fromEntries(await Promise.all(written))
})

/** What a real bash offers for the last of these words. */
const inBash = (...words: string[]): string[] => {
  const ask = `${scripts.bash}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _acopay; printf '%s\\n' "\${COMPREPLY[@]}"`
  const found = execFileSync('bash', ['--norc', '-u', '-c', ask, 'bash', 'acopay', ...words], { encoding: 'utf8' })
  return found.split('\n').filter((line) => line !== '')
}

describe.runIf(existsSync('/bin/bash'))('in bash', () => {
  it('completes commands, their second words, and flags', () => {
    expect(inBash('or')).toEqual(['order'])
    expect(inBash('order', '')).toEqual(expect.arrayContaining(['place', 'query', 'close', 'evidence']))
    expect(inBash('order', 'place', '--am')).toEqual(['--amount'])
    expect(inBash('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  })

  it('tells a command from the one that it begins', () => {
    expect(inBash('refund', '--am')).toEqual(['--amount'])
    expect(inBash('refund', 'query', '--am')).toEqual([])
    expect(inBash('refund', 'query', '--ref')).toEqual(['--refund-no'])
  })

  it('finds the command behind flags, and offers the few texts that a flag may have', () => {
    expect(inBash('trigger', 'payment', '--notify-url', 'http://127.0.0.1:9000/', '--channel', 'a')).toEqual(['alipay'])
    // Bash then offers files.
    expect(inBash('order', 'query', '--config', '')).toEqual([])
  })

  it('evaluates nothing of what was typed', () => {
    expect(inBash('order', '$(echo place; exit 9)', '`exit 9`')).toEqual([])
  })
})

it.runIf(existsSync('/usr/bin/zsh'))('zsh accepts its script', () => {
  execFileSync('zsh', ['-f', '-n'], { input: scripts.zsh })
})

it.runIf(existsSync('/usr/bin/fish'))('fish completes with its script', () => {
  const ask = `${scripts.fish}\ncomplete -C 'acopay refund query --ref'; complete -C 'acopay trigger payment --channel a'`
  const found = execFileSync('fish', ['--no-config', '-c', ask], {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/nowhere' },
  })
  expect(found.split('\n').map((line) => line.split('\t')[0])).toEqual(['--refund-no', 'alipay', ''])
})

it('a shell without a script is named with those that have one', async () => {
  for (const words of [['completion'], ['completion', 'tcsh']]) {
    const io = testIo()
    expect(await run(words, io)).toBe(2)
    expect(io.printed.err[0]).toContain('bash, zsh, fish')
  }
})
