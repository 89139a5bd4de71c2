/** A peer's process: a program that says, as one line of JSON, where it listens. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { familyMicros } from '../machine.ts'

export type PeerServer<Said> = { said: Said; cpuUs: () => number; stop: () => Promise<unknown> }

export async function startPeer<Said>(place: string, env: Record<string, string>): Promise<PeerServer<Said>> {
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: place,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let output = ''
  const said = await new Promise<Said>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const line = output.split('\n').find((one) => one.startsWith('{"url"') && one.endsWith('}'))
      if (line !== undefined) resolve(JSON.parse(line) as Said)
    })
    void ended.then(() => reject(new Error(`a peer ended: ${output.slice(-2000)}`)))
  })
  const stop = (): Promise<unknown> => {
    child.kill('SIGTERM')
    return ended
  }
  return { said, cpuUs: () => familyMicros(child.pid as number), stop }
}
