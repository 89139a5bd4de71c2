/** The session that the READMEs show, run as it is written; elsewhere than in the repository with another name of the program. */
import { exec } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const IN_README = 'npm run acopay --'

/** What differs from run to run. */
const masked = (text: string): string =>
  text
    .replace(/AP\d{36}/g, 'AP…')
    .replace(/\b\d{17}[0-9a-f]{20}\b/g, '…')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://…')
    .replace(/(cashier\/\S+\/)\S+/g, '$1…')

/** `called`: how the program is called in this environment. */
export async function readmeSession(
  name: string,
  { cwd, env, called }: { cwd: string; env: NodeJS.ProcessEnv; called: string },
): Promise<void> {
  const readme = readFileSync(path.join(ROOT, name), 'utf8')
  const session = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const steps = session.split(/^\$ /m).slice(1)
  expect(steps).toHaveLength(3)
  let transactionNo = ''
  for (const step of steps) {
    const [command = '', ...printed] = step.trimEnd().split('\n')
    const here = called === IN_README ? command : command.replace('npm run -s acopay --', called)
    const { stdout } = await promisify(exec)(here.replace(/AP\d{36}/, transactionNo), { cwd, env })
    transactionNo = /AP\d{36}/.exec(stdout)?.[0] ?? transactionNo
    expect(masked(stdout.trimEnd())).toBe(masked(printed.join('\n').replace(IN_README, called)))
  }
}
