/**
 * The order of the test files: those whose size can be chosen, and those that take long, start processes, kill them and wait, and use little of a core.
 * They begin at once and one after the other, each beside files that compute; of those the largest come first.
 */
import path from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { testFiles } from './tiers.ts'

export class FileOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const tested = new Map(testFiles().map((file) => [file.path, file]))
    const fileOf = ({ moduleId }: TestSpecification) => tested.get(path.relative(process.cwd(), moduleId))
    const sorted = await super.sort(files)
    const waits = (file: ReturnType<typeof fileOf>) => file?.tier === 'db' && (file.isSized || file.isOnlyLong)
    const waiting = sorted.filter((file) => waits(fileOf(file)))
    const pages = sorted.filter((file) => fileOf(file)?.tier === 'pages')
    const others = sorted.filter((file) => !waiting.includes(file) && !pages.includes(file))
    const computing = [...pages, ...others]
    return computing
      .flatMap((file, index) => [waiting[index], file].filter((one) => one !== undefined))
      .concat(waiting.slice(computing.length))
  }
}
