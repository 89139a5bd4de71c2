/**
 * `npm run tag`: tags this commit with the version that package.json says, once nothing speaks against it. Pushing the tag is what
 * releases (.github/workflows/release.yml), and is left to a person.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.dirname(import.meta.dirname)
const CHANGELOGS = ['CHANGELOG.md', 'CHANGELOG.zh-CN.md']

/**
 * Why this commit is not to be tagged; empty when nothing speaks against it.
 * @param {{ version: string, others: { name: string, version: string }[], changelogs: { file: string, text: string }[], changed: string[], tags: string[] }} found
 */
export function tagObjections({ version, others, changelogs, changed, tags }) {
  return [
    ...(changed.length === 0 ? [] : [`未提交的改动 changes that are not committed: ${changed.join(', ')}`]),
    ...others
      .filter((other) => other.version !== version)
      .map(
        ({ name, version: another }) => `${name} 的版本是 ${another}，不是 ${version} (is ${another}, not ${version})`,
      ),
    ...changelogs
      .filter(({ text }) => !hasEntry(text, version))
      .map(({ file }) => `${file} 没有 ${version} 的条目 (has no entry for ${version})`),
    ...(tags.includes(`v${version}`) ? [`标签 v${version} 已存在 (this tag exists)`] : []),
  ]
}

/** A heading of the version, with at least one line below it. */
function hasEntry(text, version) {
  const [, below] = text.split(new RegExp(`^## ${version.replaceAll('.', '\\.')}(?: .*)?$`, 'm'))
  return below !== undefined && /^- \S/m.test(below.split(/^## /m)[0])
}

const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
const linesOf = (text) => text.split('\n').filter((line) => line !== '')
const readText = (file) => readFileSync(path.join(ROOT, file), 'utf8')

function tag() {
  const { version, workspaces } = JSON.parse(readText('package.json'))
  const folders = workspaces.flatMap((group) => {
    const above = group.replace('/*', '')
    return readdirSync(path.join(ROOT, above)).map((name) => `${above}/${name}`)
  })
  const objections = tagObjections({
    version,
    others: folders.map((folder) => JSON.parse(readText(`${folder}/package.json`))),
    changelogs: CHANGELOGS.map((file) => ({ file, text: readText(file) })),
    changed: linesOf(git('status', '--porcelain')),
    tags: linesOf(git('tag', '--list')),
  })
  if (objections.length > 0) throw new Error(`不能打标签 not to be tagged:\n  ${objections.join('\n  ')}`)
  git('tag', '--annotate', `v${version}`, '--message', `v${version}`)
  console.log(`v${version} → ${git('rev-parse', 'HEAD')}\n发布 to release it: git push origin v${version}`)
}

if (process.argv[1] === import.meta.filename) {
  try {
    tag()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
