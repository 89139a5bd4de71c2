import { expect, it } from 'vitest'
import { productionPackages, publishedManifest } from './production-packages.mjs'

const PACKAGES = {
  'apps/server': { dependencies: { '@acopay/store': '1.0.0', log: '1.0.0' } },
  'packages/store': {
    dependencies: { pg: '1.0.0' },
    optionalDependencies: { 'pg-here': '1.0.0', 'pg-there': '1.0.0' },
  },
  'node_modules/@acopay/store': { resolved: 'packages/store', link: true },
  'node_modules/pg': { dependencies: { split: '2.0.0' } },
  'node_modules/pg/node_modules/split': { dependencies: { end: '1.0.0' } },
  'node_modules/split': {},
  'node_modules/end': {},
  'node_modules/pg-here': {},
  'node_modules/log': {},
  'node_modules/tester': { dependencies: { split: '1.0.0' } },
}

it('a program takes along what it and its siblings need, at the versions that the lockfile says, and nothing else', () => {
  const same = (place: string) => ({ from: place, to: place })
  expect(productionPackages(PACKAGES, 'apps/server')).toEqual([
    same('node_modules/end'),
    same('node_modules/log'),
    same('node_modules/pg'),
    same('node_modules/pg-here'),
    same('node_modules/pg/node_modules/split'),
  ])
})

it('what a workspace has for itself lies where all of the program finds it, unless two need different ones', () => {
  const own = { ...PACKAGES, 'packages/store/node_modules/pg': {} }
  expect(productionPackages(own, 'apps/server')).toContainEqual({
    from: 'packages/store/node_modules/pg',
    to: 'node_modules/pg',
  })
  const both = { ...own, 'apps/server': { dependencies: { '@acopay/store': '1.0.0', pg: '1.0.0' } } }
  expect(() => productionPackages(both, 'apps/server')).toThrow('two workspaces need different versions')
})

it('a package that the lockfile lacks is named', () => {
  expect(() => productionPackages({ 'apps/server': { dependencies: { gone: '1.0.0' } } }, 'apps/server')).toThrow(
    'gone',
  )
})

it('the published manifest needs what the siblings need, and no sibling', () => {
  const manifests: Record<string, object> = {
    '@acopay/server': {
      name: '@acopay/server',
      version: '1.0.0',
      private: true,
      bin: { x: 'bin/x' },
      exports: {},
      dependencies: { '@acopay/store': '1.0.0', pino: '1.0.0' },
      devDependencies: { y: '1.0.0' },
    },
    '@acopay/store': {
      dependencies: { pg: '2.0.0' },
      optionalDependencies: { o: '1.0.0' },
      devDependencies: { z: '1' },
    },
  }
  expect(publishedManifest('@acopay/server', (name) => manifests[name] as object)).toEqual({
    name: '@acopay/server',
    version: '1.0.0',
    bin: { x: 'bin/x' },
    dependencies: { pg: '2.0.0', pino: '1.0.0' },
    optionalDependencies: { o: '1.0.0' },
  })
})
