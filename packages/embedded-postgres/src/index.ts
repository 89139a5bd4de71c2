export { type EmbeddedPostgres, startEmbeddedPostgres, type Watch } from './launcher.ts'
