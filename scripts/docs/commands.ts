/** The commands that a page tells its reader to run. */
import { parsePage } from './pages.ts'

/** Names of npm scripts, the words behind `acopay`, and files that Node is to run. */
export type Commands = { npm: string[]; acopay: string[][]; files: string[] }

const SHELL = new Set(['sh', 'console', 'bash'])

export function commandsIn(text: string): Commands {
  const { codes, fences } = parsePage(text)
  const lines = fences.filter(({ tag }) => SHELL.has(tag)).flatMap(shellLines)
  const all = [...codes, ...lines]
  return {
    npm: all.flatMap((line) => found(line, /\bnpm (?:run (?:-s )?|(?=start\b|test\b))([\w:-]+)/g)),
    acopay: all
      .flatMap((line) => found(line, /(?:^|&& |\$\()(?:\w+=\S* )*(?:npm run (?:-s )?acopay -- |(?:npx )?acopay )(.*)/g))
      .map(leadingWords)
      .filter((words) => words.length > 0),
    files: lines.flatMap((line) => found(line, /\bnode ((?:scripts|packages|apps|examples)\/\S+)/g)),
  }
}

/** What a `console` block shows behind its prompt, and every line of a script, without comments. */
const shellLines = ({ tag, text }: { tag: string; text: string }): string[] =>
  text
    .split('\n')
    .filter((line) => tag !== 'console' || line.startsWith('$ '))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/(^|\s)#.*$/, '')
        .trim(),
    )

const found = (line: string, pattern: RegExp): string[] => [...line.matchAll(pattern)].map(([, name = '']) => name)

/** `order place` of `order place --amount 1`; none of `COMMAND`. */
function leadingWords(rest: string): string[] {
  const words = rest.split(/\s+/)
  const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word))
  return (end === -1 ? words : words.slice(0, end)).slice(0, 2)
}
