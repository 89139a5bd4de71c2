import { expect, it } from 'vitest'
import { generatedDocs, readDoc } from './generated-docs.ts'

it.each(Object.entries(generatedDocs()))('docs/%s says what the code does (else: npm run docs)', (name, text) => {
  expect(readDoc(name)).toBe(text)
})
