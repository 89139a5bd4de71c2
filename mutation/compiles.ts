/**
 * Whether the sources still compile with a mutant in: what the compiler refuses is no mistake that anyone could hand in. Only
 * the mutant's own file is asked. That something is unused now is no reason: the test run does not mind.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { type Mutant, mutated } from './mutant.ts'
import { isMigration, ROOT } from './run/places.ts'

const UNUSED = new Set([6133, 6138, 6192, 6196, 6198, 6199])

export function compiler(): (mutant: Mutant) => boolean {
  const config = ts.getParsedCommandLineOfConfigFile(
    path.join(ROOT, 'tsconfig.test.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
      },
    },
  )
  if (config === undefined) throw new Error('tsconfig.test.json cannot be read')
  const changed = new Map<string, { text: string; version: number }>()
  const service = ts.createLanguageService({
    getCompilationSettings: () => config.options,
    // Tests are not asked, so they are not read.
    getScriptFileNames: () =>
      config.fileNames.filter((name) => /\/(?:packages|apps)\//.test(name) && !/\.test\./.test(name)),
    getScriptVersion: (name) => String(changed.get(name)?.version ?? 0),
    getScriptSnapshot: (name) => {
      const text = changed.get(name)?.text ?? ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
  const put = (name: string, text: string): void => {
    changed.set(name, { text, version: (changed.get(name)?.version ?? 0) + 1 })
  }
  return (mutant) => {
    // What is planted in a stored function was parsed there.
    if (isMigration(mutant.file)) return true
    const name = path.join(ROOT, mutant.file)
    const text = readFileSync(name, 'utf8')
    put(name, mutated(text, mutant))
    const problems = [...service.getSyntacticDiagnostics(name), ...service.getSemanticDiagnostics(name)]
    put(name, text)
    return !problems.some(({ code, category }) => category === ts.DiagnosticCategory.Error && !UNUSED.has(code))
  }
}
