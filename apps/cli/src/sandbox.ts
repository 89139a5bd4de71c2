/** The calls that only a sandbox has (docs/sandbox.md): with them this program is the payer and the upstream. */
import { ConnectionError } from '@acopay/sdk'
import { UsageError } from './command.ts'

type Operation = 'expire' | 'give-back' | 'pay' | 'pay-anyway' | 'scan'

export type Sandbox = {
  /** The payer chooses how to pay. */
  open: (transactionNo: string, by: { channel: string; method: string }) => Promise<{ attempt_no: string }>
  /** The payer, or the upstream, does something to an attempt. */
  act: (transactionNo: string, attemptNo: string, operation: Operation) => Promise<void>
  /** Whether the upstream has given back all that it took for this attempt. */
  isBack: (channel: string, attemptNo: string) => Promise<boolean>
}

/** Throws a UsageError when the gateway is no sandbox, a ConnectionError when it does not answer. */
export async function sandboxOf({ baseUrl, mchNo }: { baseUrl: string; mchNo: string }): Promise<Sandbox> {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
  const { headers } = await call(base, 'healthz', 'GET')
  if (headers.get('x-acopay-mode') !== 'sandbox') {
    throw new UsageError(
      `${base.origin} 不是沙箱，没有什么可以模拟；请用沙箱网关的设置 (is no sandbox, so nothing was done: use the settings of a sandbox gateway)`,
    )
  }
  const orderPath = (transactionNo: string): string => `sandbox/${mchNo}/orders/${transactionNo}/attempts`
  return {
    open: async (transactionNo, by) =>
      (await read(base, `${orderPath(transactionNo)}?${new URLSearchParams(by)}`, 'POST')) as { attempt_no: string },
    act: async (transactionNo, attemptNo, operation) => {
      await read(base, `${orderPath(transactionNo)}/${attemptNo}/${operation}`, 'POST')
    },
    isBack: async (channel, attemptNo) => {
      const taken = (await read(base, `sandbox/upstreams/${channel}/taken`, 'GET')) as Taken[]
      const found = taken.find((one) => one.attempt_no === attemptNo)
      return found !== undefined && found.taken_fen === found.returned_fen
    },
  }
}

type Taken = { attempt_no: string; taken_fen: number; returned_fen: number }

const TIMEOUT_MS = 15_000

async function call(base: URL, path: string, method: 'GET' | 'POST'): Promise<Response> {
  try {
    return await fetch(new URL(path, base), { method, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new ConnectionError(`${base.origin}: no connection`, { cause, isRetryable: true })
  }
}

/** The JSON of an answer. Throws a SandboxError with what the sandbox says against it. */
async function read(base: URL, path: string, method: 'GET' | 'POST'): Promise<unknown> {
  const response = await call(base, path, method)
  const body = (await response.json().catch(() => ({}))) as { error?: string }
  if (response.ok) return body
  throw new SandboxError(body.error ?? `HTTP ${response.status}`)
}

/** The sandbox will not do this: the order can no longer be paid, for example. */
export class SandboxError extends Error {
  override name = 'SandboxError'
}
