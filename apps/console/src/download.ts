/** Fetches a file of the API piece by piece, so that the page can say how far it is and the user can stop it. */
import type { Failure } from '@acopay/protocol/console'
import { ApiError } from './api-error.ts'

export async function download(path: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
  const response = await fetch(`/console/api/${path}`, { credentials: 'same-origin', signal })
  if (!response.ok || response.body === null) {
    throw new ApiError(response.status, (await response.json().catch(() => null)) as Failure | null)
  }
  const pieces: BlobPart[] = []
  let bytes = 0
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
    bytes += value.length
    onBytes(bytes)
  }
  const type = response.headers.get('content-type') ?? ''
  save(new Blob(pieces, { type }), nameIn(response.headers.get('content-disposition') ?? ''))
}

const nameIn = (disposition: string): string => /filename="([^"]+)"/.exec(disposition)?.[1] ?? 'export'

function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
