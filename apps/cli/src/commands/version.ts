/** `acopay version`: of this program, of the server installed beside it, and of the gateway that runs at the address of the settings. */
import { type Command, EXIT, table } from '../command.ts'
import { findSettings, SETTINGS_OPTIONS } from '../settings.ts'
import { VERSION } from '../version.ts'

const TIMEOUT_MS = 5000
const { config, 'base-url': baseUrlOption } = SETTINGS_OPTIONS

export const versionCommand: Command = {
  usage: '',
  zh: '命令行、服务端与正在运行的网关的版本',
  en: 'versions of the command line, of the server and of the gateway that runs',
  options: { config, 'base-url': baseUrlOption },
  async run(flags, io) {
    const server = io.server()?.version ?? null
    const baseUrl = findSettings(flags, io).baseUrl?.value ?? null
    const gateway = baseUrl === null ? null : await runningVersion(baseUrl)
    const lines = table([
      ['命令行 acopay', VERSION],
      ['服务端 acopay-server', server],
      ['运行中的网关 gateway', baseUrl === null ? null : `${gateway ?? '未知 unknown'}  ${baseUrl}`],
    ])
    return { exit: EXIT.done, json: { acopay: VERSION, server, gateway: { baseUrl, version: gateway } }, lines }
  },
}

/** Null when it does not answer, or does not say. */
async function runningVersion(baseUrl: string): Promise<string | null> {
  try {
    const url = new URL('healthz', baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { version } = (await answer.json()) as { version?: unknown }
    return typeof version === 'string' ? version : null
  } catch {
    return null
  }
}
