const BYTES_MAX = 64 * 1024

/** The bytes as they came, for the handler to verify: the whole body, or just enough of it to see that it is too large. */
export async function rawBody(request: Request): Promise<Uint8Array> {
  const read: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    read.push(chunk)
    bytes += chunk.length
    if (bytes > BYTES_MAX) break
  }
  return Buffer.concat(read)
}
