export * from './contract.ts'
export * from './installed.ts'
export type { SandboxBooks, SandboxTrade } from './sandbox/index.ts'
