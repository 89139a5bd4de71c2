/** Loaded by NODE_OPTIONS into processes that a test starts from source: they run the same text as the test's own process. */
import { appendFileSync } from 'node:fs'
import { register } from 'node:module'
import path from 'node:path'

const children = process.env.ACOPAY_MUTATION_CHILDREN
if (process.env.ACOPAY_MUTATION === 'record' && children !== undefined) {
  const place = path.join(children, String(process.pid))
  // Written at once: a test may kill this process at any moment.
  globalThis.__reached = (file, size) => {
    const marks = new Uint8Array(size)
    return new Proxy(marks, {
      set: (_, mark) => {
        if (marks[mark] === 0) appendFileSync(place, `${mark} ${file}\n`)
        marks[mark] = 1
        return true
      },
    })
  }
}
register('./child-loader.mjs', import.meta.url)
