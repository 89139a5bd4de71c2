/** Whether the gateway in this container answers: the image has no shell and no curl. It says nothing of the database; /readyz does. */
const { PORT = '8080' } = process.env
const url = `http://127.0.0.1:${PORT}/healthz`
const { ok } = await fetch(url, { signal: AbortSignal.timeout(3000) }).catch(() => ({ ok: false }))
process.exit(ok ? 0 : 1)
