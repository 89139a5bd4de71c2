/** Which packages a program needs when it runs, by the lockfile, and where each lies in a folder that has the program alone. */

/**
 * Follows what the workspaces need, as Node would find it. Workspaces that need each other are one program: their packages are in it.
 * @param {Record<string, { dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, link?: boolean, resolved?: string }>} packages
 *   the lockfile's
 * @param {string} workspace for example `apps/server`
 * @returns {{ from: string, to: string }[]} places such as `node_modules/pg`, sorted; `from` in the repository, `to` beside the program
 */
export function productionPackages(packages, workspace) {
  const found = new Set([workspace])
  for (const place of found) {
    const { dependencies = {}, optionalDependencies = {} } = packages[place]
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const needed = placeOf(packages, place, name)
      if (needed !== null) found.add(packages[needed].link === true ? packages[needed].resolved : needed)
      else if (!Object.hasOwn(optionalDependencies, name)) throw new Error(`the lockfile lacks ${name}, for ${place}`)
    }
  }
  const moves = [...found].filter(isInstalled).map((from) => ({ from, to: from.slice(from.indexOf('node_modules/')) }))
  const twice = moves.find(({ from, to }) => moves.some((other) => other.to === to && other.from !== from))
  if (twice !== undefined) throw new Error(`two workspaces need different versions: ${twice.from}`)
  return moves.sort((one, other) => (one.to < other.to ? -1 : 1))
}

const isInstalled = (place) => place.includes('node_modules/')

/** The nearest one, from the place upwards. */
function placeOf(packages, place, name) {
  for (let folder = place; ; folder = above(folder)) {
    const here = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (Object.hasOwn(packages, here)) return here
    if (folder === '') return null
  }
}

function above(folder) {
  const end = folder.lastIndexOf('/node_modules/')
  if (end !== -1) return folder.slice(0, end)
  return ''
}

/**
 * The manifest of a workspace as it is published: what its siblings need is its own need, since they are bundled into it.
 * @param {string} name
 * @param {(name: string) => Record<string, any>} manifestOf a sibling's, by its name
 */
export function publishedManifest(name, manifestOf) {
  const needed = { dependencies: {}, optionalDependencies: {} }
  const siblings = new Set([name])
  for (const sibling of siblings) {
    const manifest = manifestOf(sibling)
    for (const [group, all] of Object.entries(needed)) {
      for (const [other, version] of Object.entries(manifest[group] ?? {})) {
        if (other.startsWith('@acopay/')) siblings.add(other)
        else all[other] = version
      }
    }
  }
  const {
    private: _,
    dependencies,
    devDependencies,
    optionalDependencies,
    scripts,
    exports,
    ...kept
  } = manifestOf(name)
  return { ...kept, ...mapValues(needed, sorted) }
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)))
