/** Each recipe can be copied out alone, so files that they share are there several times: all copies are the same. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const EXAMPLES = path.resolve(import.meta.dirname, '../examples')
const read = (...parts: string[]): string => readFileSync(path.join(EXAMPLES, ...parts), 'utf8')

it.each(['fastify', 'hono', 'koa', 'nestjs/src', 'next/lib'])(
  "the recipe in %s has the Express recipe's shop",
  (folder) => {
    for (const file of ['database.ts', 'settings.ts', 'shop.ts']) {
      expect(read('recipes', folder, file), file).toBe(read('recipes/express', file))
    }
  },
)

it('the recipe for Spring has the client of examples/clients, in its own package', () => {
  const client = read('clients/java/AcoPay.java')
  const recipe = read('recipes/spring-boot/src/main/java/shop/AcoPay.java')
  expect(recipe).toBe(client.replace('\nimport com.sun', '\npackage shop;\n\nimport com.sun'))
})
