/** What a simulator of an upstream runs on. */
import type { Faults } from './faults.ts'

/** A document beside the one that is changed, written in the same transaction; null removes it. */
export type BesideDocument = { key: string; document: object | null }

/** Where a simulator stores its state: JSON documents by key. */
export interface Books {
  read(key: string): Promise<object | null>
  /** All documents whose key begins with `prefix`, in the order of their keys. */
  list(prefix: string): Promise<object[]>
  /**
   * Reads a document, calls `edit` with it and writes `after`; null writes nothing. All of it is atomic: two changes of
   * one key never interleave. `beside` belongs to this key alone: no change of another key writes it.
   */
  change<Result>(
    key: string,
    edit: (before: object | null) => { after: object | null; result: Result; beside?: BesideDocument | undefined },
  ): Promise<Result>
}

/** All that a simulator takes from its surroundings, so that a test controls state, faults, time and network. */
export type StandInWorld = {
  books: Books
  faults: Faults
  now: () => Date
  sleep: (ms: number) => Promise<void>
  /** Sends a notification. Returns the merchant's answer; throws when none came. */
  deliver: (url: string, headers: Record<string, string>, body: string) => Promise<{ status: number; body: string }>
}

export function memoryBooks(): Books {
  const documents = new Map<string, object>()
  return {
    read: async (key) => structuredClone(documents.get(key) ?? null),
    list: async (prefix) =>
      [...documents.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map((key) => structuredClone(documents.get(key) as object)),
    async change(key, edit) {
      const { after, result, beside } = edit(structuredClone(documents.get(key) ?? null))
      if (after !== null) documents.set(key, structuredClone(after))
      if (beside?.document === null) documents.delete(beside.key)
      else if (beside !== undefined) documents.set(beside.key, structuredClone(beside.document))
      return result
    },
  }
}
