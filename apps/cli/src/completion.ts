/**
 * Shell completion: a script with all commands and flags in it. Pressing Tab starts no process, and evaluates nothing of what
 * was typed.
 */
import type { Command as Parser } from 'commander'
import { UsageError } from './command.ts'

type Flag = { name: string; says: string; takesText: boolean; choices: readonly string[] }
/** What may follow the words `at`, which begin with a blank: ' order place'. */
type Place = { at: string; words: { name: string; says: string }[]; flags: Flag[] }

export function completionScript(shell: string | undefined, parser: Parser): string {
  const write = Object.hasOwn(SCRIPTS, shell ?? '') ? SCRIPTS[shell as keyof typeof SCRIPTS] : undefined
  const shells = Object.keys(SCRIPTS)
  if (write !== undefined) return write([...placesBelow(parser, ''), completionItself(shells)])
  throw new UsageError(`请给出 ${shells.join('、')} 之一 (name one of ${shells.join(', ')})`)
}

function placesBelow(parser: Parser, at: string): Place[] {
  const words = parser.commands.map((one) => ({ name: one.name(), says: one.description() }))
  if (at === '') words.push({ name: 'completion', says: '命令补全 shell completion' })
  const flags = parser
    .createHelp()
    .visibleOptions(parser)
    .map(({ long, description, required, argChoices }) => ({
      name: long ?? '',
      says: description,
      takesText: required,
      choices: argChoices ?? [],
    }))
  return [{ at, words, flags }, ...parser.commands.flatMap((one) => placesBelow(one, `${at} ${one.name()}`))]
}

const completionItself = (shells: string[]): Place => ({
  at: ' completion',
  words: shells.map((name) => ({ name, says: '' })),
  flags: [],
})

/** The text as one word of a POSIX shell, bash, zsh or fish. No text of ours has a backslash. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const patterns = (texts: string[]): string => texts.map(quoted).join(' | ')

const knownPlaces = (places: Place[]): string[] => places.map(({ at }) => at).filter((at) => at !== '')

/** Flags whose text is one of a few, with the place before them. */
const choicesIn = (places: Place[]): [at: string, choices: readonly string[]][] =>
  places
    .flatMap(({ at, flags }) =>
      flags.filter(({ choices }) => choices.length > 0).map(({ name, choices }) => [`${at} ${name}`, choices] as const),
    )
    .map(([at, choices]) => [at, choices])

const textFlags = (places: Place[]): string[] => [
  ...new Set(places.flatMap(({ flags }) => flags.filter(({ takesText }) => takesText).map(({ name }) => name))),
]

/** For bash from 3.2 on, which macOS has, without the package bash-completion. Where it finds nothing, bash offers files. */
const bash = (places: Place[]): string => `# acopay completion bash
_acopay() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at='' found='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${patterns(knownPlaces(places))}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${choicesIn(places)
  .map(
    ([at, choices]) => `    ${quoted(at)}) COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur")); return ;;`,
  )
  .join('\n')}
  esac
  case "$prev" in
    ${patterns(textFlags(places))}) return ;;
  esac
  case "$at" in
${places
  .map(
    ({ at, words, flags }) =>
      `    ${quoted(at)}) found=${quoted([...words, ...flags].map(({ name }) => name).join(' '))} ;;`,
  )
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$found" -- "$cur"))
}
complete -o default -F _acopay acopay
`

/** For the completion system of zsh (\`compinit\`). */
const zsh = (places: Place[]): string => `#compdef acopay
# acopay completion zsh
_acopay() {
  local at='' i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${patterns(knownPlaces(places))}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${choicesIn(places)
  .map(([at, choices]) => `    ${quoted(at)}) compadd ${choices.join(' ')}; return ;;`)
  .join('\n')}
  esac
  case "\${words[CURRENT-1]}" in
    ${patterns(textFlags(places))}) _files; return ;;
  esac
  case "$at" in
${places
  .map(({ at, words, flags }) => {
    const found = [...words, ...flags].map(({ name, says }) => quoted(`${name}:${says.replaceAll(':', '\\:')}`))
    return `    ${quoted(at)}) found=(${found.join(' ')}) ;;`
  })
  .join('\n')}
  esac
  _describe acopay found
}
if [ "$funcstack[1]" = _acopay ]; then _acopay "$@"; else compdef _acopay acopay; fi
`

const fish = (places: Place[]): string => `# acopay completion fish
function __acopay_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${knownPlaces(places).map(quoted).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c acopay -e
${places.flatMap(linesOfFish).join('\n')}
`

function linesOfFish({ at, words, flags }: Place): string[] {
  const here = `complete -c acopay -n ${quoted(`__acopay_at "${at}"`)}`
  const textOf = ({ takesText, choices }: Flag): string => {
    if (choices.length > 0) return ` -x -a ${quoted(choices.join(' '))}`
    return takesText ? ' -r' : ' -f'
  }
  return [
    ...words.map(({ name, says }) => `${here} -f -a ${name} -d ${quoted(says)}`),
    ...flags.map((flag) => `${here} -l ${flag.name.slice(2)}${textOf(flag)} -d ${quoted(flag.says)}`),
  ]
}

const SCRIPTS = { bash, zsh, fish }
