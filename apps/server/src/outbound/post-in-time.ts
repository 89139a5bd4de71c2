/** A post that is given up after a while. */
import type { World } from '../world.ts'
import type { Posted } from './safe-post.ts'

export async function postInTime(
  world: Pick<World, 'post' | 'sleep'>,
  { url, body, headers }: { url: string; body: string; headers: Record<string, string> },
  ms: number,
): Promise<Posted> {
  const ended = new AbortController()
  const late = new AbortController()
  const timer = world.sleep(ms, ended.signal).then(() => late.abort())
  const posted = await world.post(url, body, late.signal, headers)
  ended.abort()
  await timer
  return posted
}
