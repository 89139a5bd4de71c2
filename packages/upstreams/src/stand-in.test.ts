import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Handler, listen } from './stand-in.ts'

describe('a simulator that listens by itself', () => {
  let stop = async () => {}
  afterEach(() => stop())
  const served = async (handler: Handler) => {
    const server = await listen(handler)
    stop = server.stop
    return server.url
  }

  it('answers 500, says nothing of the error and goes on, when its handler fails', async () => {
    const unhandled = vi.fn()
    const [log, errors] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]
    process.on('unhandledRejection', unhandled)
    const url = await served(async ({ url }) => {
      if (url === '/fails') throw new Error('the private key is 42')
      return { status: 200, headers: {}, body: 'fine' }
    })
    const failed = await fetch(`${url}/fails`)
    expect([failed.status, await failed.text()]).toEqual([500, ''])
    expect(await (await fetch(url)).text()).toBe('fine')
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(log).not.toHaveBeenCalled()
    expect(errors).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('cuts the connection when its handler has no answer', async () => {
    const url = await served(async () => null)
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })
})
