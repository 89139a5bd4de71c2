/** When, of what and on what a run was made. */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { RunOf } from './figures/markdown.ts'

export function runOf({ postgres, orders }: Pick<RunOf, 'postgres' | 'orders'>): RunOf {
  const git = (...args: string[]): string => (spawnSync('git', args, { encoding: 'utf8' }).stdout ?? '').trim()
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' and changes'
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed}`,
    cores: availableParallelism(),
    node: process.versions.node,
    postgres,
    orders,
  }
}
