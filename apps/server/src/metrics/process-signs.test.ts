import { expect, it } from 'vitest'
import { alarmLines } from './alarm-lines.ts'
import { metrics as newMetrics } from './metrics.ts'
import { processSigns } from './process-signs.ts'

/** A process whose counters the test moves, and that is looked at every ten seconds. */
function looked() {
  const metrics = newMetrics({ version: '1', mode: 'production' })
  let isWaiting = false
  let nowMs = 0
  const look = processSigns(metrics.registry, () => isWaiting)
  const signs = async (times = 1): Promise<string[]> => {
    let found: string[] = []
    for (let time = 0; time < times; time += 1) {
      found = (await look(nowMs)).map(({ kind, subject }) => `${kind} ${subject}`.trim())
      nowMs += 10_000
    }
    return found
  }
  return { metrics, signs, wait: (is: boolean) => (isWaiting = is) }
}

it('a process that does its work shows no sign', async () => {
  const { metrics, signs } = looked()
  await signs()
  for (let call = 0; call < 1000; call += 1) {
    metrics.call({ call: 'close', outcome: 'SUCCESS', by: 'merchant' }, 0.01)
    metrics.close('cheap', 0.01)
    metrics.upstreamCall({ channel: 'wechat', verb: 'close' }, 'accepted', 0.1)
  }
  metrics.call({ call: 'close', outcome: 'SYSTEM_ERROR', by: 'merchant' }, 0.01)
  metrics.close('full', 6)
  metrics.upstreamCall({ channel: 'wechat', verb: 'close' }, 'unknown', 0.1)
  expect(await signs()).toEqual([])
})

it('errors, slow closes and a silent upstream show while they are a part of the calls of five minutes, and no longer', async () => {
  const { metrics, signs } = looked()
  await signs()
  for (let call = 0; call < 5; call += 1) {
    metrics.call({ call: 'close', outcome: 'SYSTEM_ERROR', by: 'merchant' }, 0.01)
    metrics.close('full', 6)
    metrics.upstreamCall({ channel: 'alipay', verb: 'query' }, 'unknown', 2)
    metrics.upstreamCall({ channel: 'wechat', verb: 'query' }, 'paid', 0.1)
  }
  metrics.upstreamRest('alipay')
  const all = ['system-errors', 'slow-closes', 'upstream-silent alipay', 'upstream-resting alipay']
  expect(await signs()).toEqual(all)
  expect(await signs(28)).toEqual(all)
  expect(await signs(3)).toEqual([])
})

it('too few connections show when callers have waited at every look of two minutes', async () => {
  const { signs, wait } = looked()
  await signs()
  wait(true)
  expect(await signs(11)).toEqual([])
  expect(await signs(1)).toEqual(['pool-full'])
  wait(false)
  expect(await signs(1)).toEqual([])
})

it('log lines are kept until they are taken: counted by their text, with the first few numbers', () => {
  const lines = alarmLines()
  for (const transactionNo of ['AP1', 'AP2', 'AP3', 'AP4']) lines.note({ mchNo: 'M', transactionNo }, 'a')
  lines.note({ mchNo: 'M', channel: 'wechat' }, 'b')
  lines.note({ dropped: 3 }, 'c')
  const taken = lines.take()
  expect(taken).toEqual([
    { message: 'a', count: 4, examples: ['AP1', 'AP2', 'AP3'].map((number) => ({ mchNo: 'M', number })) },
    { message: 'b', count: 1, examples: [{ mchNo: 'M', number: '' }] },
    { message: 'c', count: 1, examples: [] },
  ])
  expect(lines.take()).toEqual([])
  lines.note({}, 'a')
  lines.putBack(taken)
  expect(lines.take().map(({ message, count }) => [message, count])).toEqual([
    ['a', 5],
    ['b', 1],
    ['c', 1],
  ])
  for (let text = 0; text < 200; text += 1) lines.note({}, String(text))
  expect(lines.take()).toHaveLength(100)
})
