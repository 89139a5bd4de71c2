/** How long the gateway of an archive takes from its start until it listens, unpacked in a folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { extract } from 'tar'

/** In milliseconds: as a new sandbox, and once more. */
export async function timedStart(file, name) {
  const dir = mkdtempSync(path.join(tmpdir(), 'acopay-dist-'))
  try {
    await extract({ file, cwd: dir })
    const program = path.join(dir, name, 'bin', 'acopay-server')
    const env = { PATH: process.env.PATH, PORT: '0', ACOPAY_HOME: path.join(dir, 'home') }
    return { first: await oneStart(program, env), again: await oneStart(program, env) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function oneStart(program, env) {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [program, 'start'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let said = ''
  const listens = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk
      if (/ACO Pay gateway +http:/.test(said)) resolve(Math.round(performance.now() - startedMs))
    })
  })
  const ms = await Promise.race([listens, ended.then(() => null)])
  child.kill('SIGTERM')
  await ended
  if (ms === null) throw new Error(`归档包不能启动 (the archive does not start): ${said}`)
  return ms
}
