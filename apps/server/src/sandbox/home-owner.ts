/**
 * Sandbox mode only: `demo.json` and `console.json` name one gateway. While it runs, another gateway in the same home leaves
 * them as they are.
 */
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { writePrivateFile } from '../security/private-file.ts'

type Owner = { pid: number; url: string }

const ANSWER_MS = 1000

const fileIn = (home: string): string => path.join(home, 'gateway.json')

/** The address of another gateway that these files name and that runs; null where there is none. */
export async function otherGateway(home: string): Promise<string | null> {
  const owner = readOwner(home)
  if (owner === null || owner.pid === process.pid || !isAlive(owner.pid)) return null
  // Another process may have the number of one that died.
  const response = await fetch(`${owner.url}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null)
  return response?.ok === true ? owner.url : null
}

export const ownHome = (home: string, url: string): void =>
  writePrivateFile(fileIn(home), `${JSON.stringify({ pid: process.pid, url })}\n`, 'replace')

export function leaveHome(home: string): void {
  if (readOwner(home)?.pid === process.pid) rmSync(fileIn(home), { force: true })
}

function readOwner(home: string): Owner | null {
  try {
    const { pid, url } = JSON.parse(readFileSync(fileIn(home), 'utf8')) as Partial<Owner>
    return typeof pid === 'number' && typeof url === 'string' ? { pid, url } : null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
