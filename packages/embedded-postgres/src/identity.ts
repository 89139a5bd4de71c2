/** PostgreSQL refuses to run as root: whom it runs as then, and who owns its files. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const NOBODY = 65534
const UNSHARE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--']

export type Identity = {
  /** Words before the program's name. */
  prefix: string[]
  spawnAs: { uid?: number; gid?: number }
  /** Null where files have no owner. */
  fileOwner: number | null
}

export async function identity(): Promise<Identity> {
  const uid = process.getuid?.() ?? null
  if (uid !== 0) return { prefix: [], spawnAs: {}, fileOwner: uid }
  // Inside the namespace the server sees itself as nobody while its files stay root's: works below /root, no chown.
  if (await succeeds([...UNSHARE, 'true'])) return { prefix: UNSHARE, spawnAs: {}, fileOwner: 0 }
  return { prefix: [], spawnAs: { uid: NOBODY, gid: NOBODY }, fileOwner: NOBODY }
}

function succeeds([program, ...args]: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program ?? '', args, { stdio: 'ignore' })
    child.on('error', () => resolve(false))
    child.on('exit', (code) => resolve(code === 0))
  })
}

/** Root only: gives a folder and all below it to the server's user, when it belongs to another. */
export async function takeOver(folder: string, { fileOwner }: Identity): Promise<void> {
  if (process.getuid?.() !== 0 || fileOwner === null) return
  if (fs.lstatSync(folder).uid === fileOwner) return
  for (const name of await fs.promises.readdir(folder, { recursive: true })) {
    await fs.promises.lchown(path.join(folder, name), fileOwner, fileOwner)
  }
  await fs.promises.lchown(folder, fileOwner, fileOwner)
}
