export * from './faults.ts'
export * from './stand-in.ts'
