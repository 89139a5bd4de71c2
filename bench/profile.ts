/** Where the main thread's time went, by package, from a V8 CPU profile. Signatures run on other threads. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

type Profile = {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[]
  samples: number[]
  timeDeltas: number[]
}

/** Shares of the busy time (idle left out), largest first. */
export function summarize(folder: string): { name: string; share: number }[] {
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'))
  if (file === undefined) throw new Error(`no profile in ${folder}`)
  const profile = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Profile
  const owner = new Map(profile.nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]))
  const micros = new Map<string, number>()
  profile.samples.forEach((id, index) => {
    const name = owner.get(id) ?? '?'
    if (name !== '(idle)') micros.set(name, (micros.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0))
  })
  const total = [...micros.values()].reduce((sum, value) => sum + value, 0)
  return Array.from(micros, ([name, value]) => ({ name, share: value / total })).sort((a, b) => b.share - a.share)
}

function ownerOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'node: native'
  if (url.startsWith('node:')) return url.replace(/^node:(internal\/)?/, 'node: ').replace(/\/.*/, '')
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (installed !== undefined) return installed
  return /\/((?:apps|packages)\/[^/]+)\//.exec(url)?.[1] ?? url
}
