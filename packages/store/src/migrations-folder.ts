/** Where the migrations lie. This file stays one folder below them, as `dist/operate.js` does in the archive, into which it is bundled. */
export const MIGRATIONS_FOLDER = new URL('../migrations/', import.meta.url)
