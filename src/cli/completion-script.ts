import { allOptions, type Command } from './command.ts'

/** Shells that a script can be made for. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/**
 * Make the script that completes commands, options and files.
 *
 * @param commands in the order of `--help`
 */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const words = firstWords(commands)
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words, commands)
}

/** A first word of the command line: a command, or several that share it. */
type FirstWord = { readonly word: string; readonly summary: string; readonly seconds: readonly string[] }

function firstWords(commands: readonly Command[]): FirstWord[] {
  const groups = Map.groupBy(commands, ({ name }) => name.split(' ')[0]!)
  return [...groups].map(([word, group]) => {
    const seconds = group.flatMap(({ name }) => name.split(' ')[1] ?? [])
    return { word, seconds, summary: seconds.length > 0 ? `${seconds.join(', ')}` : group[0]!.summary }
  })
}

function families(words: readonly FirstWord[]): readonly FirstWord[] {
  return words.filter(({ seconds }) => seconds.length > 0)
}

type Option = { readonly name: string; readonly doc: string; readonly value: 'none' | 'path' | 'text' }

function optionsOf(command: Command): Option[] {
  return Object.entries(allOptions(command)).map(([name, { doc, type, value }]) => {
    const isPath = value === 'FILE' || value === 'FOLDER'
    return { name, doc, value: type === 'boolean' ? 'none' : isPath ? 'path' : 'text' }
  })
}

/** Names of the options, of any command, that have such a value. */
function optionsWith(commands: readonly Command[], value: Option['value']): string[] {
  const options = commands.flatMap(optionsOf).filter((option) => option.value === value)
  return [...new Set(options.map(({ name }) => name))]
}

function bashScript(words: readonly FirstWord[], commands: readonly Command[]): string {
  const dashed = (names: readonly string[]): string => names.map((name) => `--${name}`).join('|')
  return `# bash: put this line in ~/.bashrc
#   source <(portico completion bash)
_portico() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words= files=
  case $previous in
    ${dashed(optionsWith(commands, 'path'))}) files=yes ;;
    ${dashed(optionsWith(commands, 'text'))}) return ;;
    *) case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
      ' ') words='${words.map(({ word }) => word).join(' ')} --help --version' ;;
${families(words)
  .map(({ word, seconds }) => `      '${word} ') words='${seconds.join(' ')} --help' ;;\n`)
  .join('')}${commands.map(bashCase).join('')}    esac ;;
  esac
  if [[ $files && $current != -* ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _portico portico
`
}

function bashCase(command: Command): string {
  const are = command.positionals?.are ?? []
  const files = are === 'files' ? ' files=yes' : ''
  const words = [...(are === 'files' ? [] : are), ...optionsOf(command).map(({ name }) => `--${name}`)]
  return `      '${command.name} '*)${files} words='${words.join(' ')}' ;;\n`
}

function zshScript(words: readonly FirstWord[], commands: readonly Command[]): string {
  return `#compdef portico
# zsh: put this line in ~/.zshrc, below compinit
#   source <(portico completion zsh)
_portico() {
  local -a first=(${words.map(({ word, summary }) => quoted(`${word}:${summary}`)).join(' ')})
  case "\${(j: :)words[2,CURRENT-1]} " in
    ' ') _describe command first ;;
${families(words)
  .map(({ word, seconds }) => `    '${word} ') compadd ${seconds.join(' ')} ;;\n`)
  .join('')}${commands.map(zshCase).join('')}  esac
}
compdef _portico portico
`
}

function zshCase(command: Command): string {
  const skipped = command.name.split(' ').length
  const options = optionsOf(command).map(({ name, doc, value }) => {
    const argument = { none: '', text: ':value: ', path: ':file:_files' }[value]
    return quoted(`--${name}[${doc.replace(/[[\]:\\]/g, '\\$&')}]${argument}`)
  })
  const are = command.positionals?.are
  const rest =
    are === undefined ? [] : [quoted(`*:word:${are === 'files' ? '_files' : `(${are.join(' ')})`}`)]
  return `    '${command.name} '*)
      shift ${skipped} words; (( CURRENT -= ${skipped} ))
      _arguments ${[...options, ...rest].join(' ')} ;;\n`
}

function fishScript(words: readonly FirstWord[], commands: readonly Command[]): string {
  const lines = [
    '# fish: portico completion fish > ~/.config/fish/completions/portico.fish',
    'complete -c portico -f',
    ...words.map(
      ({ word, summary }) => `complete -c portico -n __fish_use_subcommand -a ${word} -d ${quoted(summary)}`,
    ),
    ...families(words).map(({ word, seconds }) => {
      const condition = `__fish_seen_subcommand_from ${word}; and not __fish_seen_subcommand_from ${seconds.join(' ')}`
      return `complete -c portico -n '${condition}' -a '${seconds.join(' ')}'`
    }),
    ...commands.flatMap(fishLines),
  ]
  return `${lines.join('\n')}\n`
}

function fishLines(command: Command): string[] {
  const seen = command.name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ')
  const prefix = `complete -c portico -n '${seen}'`
  const options = optionsOf(command).map(({ name, doc, value }) => {
    const argument = { none: '', text: ' -x', path: ' -rF' }[value]
    return `${prefix} -l ${name}${argument} -d ${quoted(doc)}`
  })
  const are = command.positionals?.are
  if (are === undefined) return options
  return [...options, are === 'files' ? `${prefix} -F` : `${prefix} -a '${are.join(' ')}'`]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
