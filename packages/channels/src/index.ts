export * from './contract.ts'
export * from './installed.ts'
