/** The end of a PostgreSQL as a machine ends that loses its power: the server and every process that it started, at once. */
import fs from 'node:fs'

/** Also one that was stopped by a signal: it would keep the server from being started again. */
export function killServer(postmaster: number): void {
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended with its parent.
    }
  }
}

/** On Linux only. */
function childrenOf(parent: number): number[] {
  return fs.readdirSync('/proc').flatMap((name) => {
    try {
      const stat = /^\d+$/.test(name) ? fs.readFileSync(`/proc/${name}/stat`, 'utf8') : ''
      return Number(/\) \w (\d+) /.exec(stat)?.[1]) === parent ? [Number(name)] : []
    } catch {
      return []
    }
  })
}
