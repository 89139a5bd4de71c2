/** The only list of channels there is: a new one is its folder and a line here. */
import { makeSandbox } from './sandbox/index.ts'

export const INSTALLED = { sandbox: makeSandbox } as const
export type ChannelName = keyof typeof INSTALLED
