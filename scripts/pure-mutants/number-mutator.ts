/** A mutator that Stryker lacks: every number becomes one more, so that limits, times and codes are held to the digit. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './areas.ts'

type Node = { type: string; value?: unknown }
type Mutator = { name: string; mutate: (path: { node: Node; parent: Node & { key?: unknown } }) => Generator<Node> }

const numberMutator: Mutator = {
  name: 'NumericLiteral',
  *mutate({ node, parent }) {
    if (parent.key === node) return
    if (node.type === 'NumericLiteral') yield { type: node.type, value: Number(node.value) + 1 }
    if (node.type === 'BigIntLiteral') yield { type: node.type, value: String(BigInt(String(node.value)) + 1n) }
  },
}

/** Stryker has no door for mutators, so its list is taken by its path: the version is exact. */
export async function addNumberMutator(): Promise<void> {
  const list = path.join(ROOT, 'node_modules/@stryker-mutator/instrumenter/dist/src/mutators/mutate.js')
  const { allMutators }: { allMutators: Mutator[] } = await import(pathToFileURL(list).href)
  if (!Array.isArray(allMutators)) throw new Error(`${list} has no list of mutators any more`)
  allMutators.push(numberMutator)
}
