/** The command line: `omnigate [start] [--config FILE]`, `check FILE`, `schema [GATEWAY]`, `--version`, `--help`. */
import { parseArgs } from 'node:util'
import { firstLine, GatewayError } from '../config/errors.ts'
import { nearest } from '../config/nearest.ts'

export type Command =
  | { readonly name: 'start'; readonly config: string | undefined }
  | { readonly name: 'check'; readonly file: string }
  | { readonly name: 'schema'; readonly gateway: string | undefined }
  | { readonly name: 'version' }
  | { readonly name: 'help' }

export const USAGE = `Omnigate: devices of many protocols as MQTT clients on one broker.

Usage:
  omnigate [start] [--config FILE]   run; without --config reads ./omnigate.yaml if there is one,
                                     else starts every gateway on its standard port on 127.0.0.1
  omnigate check FILE                check a config file without starting anything
  omnigate schema [GATEWAY]          print the JSON Schema of the config, or of one gateway
  omnigate --version
  omnigate --help

Environment:
  \${NAME} and \${NAME:default}        in values of the config file
  OMNIGATE_<SECTION>__<KEY>=value    overrides a key: OMNIGATE_NODE__LOGLEVEL=debug

Signals:
  SIGTERM, SIGINT                    drain and stop; a second one stops at once
  SIGHUP                             read the config file again
`

const COMMANDS = ['start', 'check', 'schema'] as const
const OPTIONS = {
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const

/** Throws a `GatewayError` with code `cli-usage` for a command line that means nothing. */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parse(argv)
  if (values.help === true) return { name: 'help' }
  if (values.version === true) return { name: 'version' }
  const [command = 'start', ...operands] = positionals
  if (command !== 'start' && values.config !== undefined) {
    throw usage('--config belongs to start', command === 'check' ? `write omnigate check ${values.config}` : 'leave it out')
  }
  const most = command === 'start' ? 0 : 1
  if (isCommand(command) && operands.length > most) {
    const hint = command === 'start' ? `write omnigate start --config ${operands[0]}` : 'give one at a time'
    throw usage(`${command} takes ${most === 0 ? 'no operand' : 'one operand'}, not "${operands.join(' ')}"`, hint)
  }
  const [operand] = operands
  switch (command) {
    case 'start':
      return { name: 'start', config: values.config }
    case 'check':
      if (operand === undefined) throw usage('check needs a file', 'write omnigate check omnigate.yaml')
      return { name: 'check', file: operand }
    case 'schema':
      return { name: 'schema', gateway: operand }
    default:
      throw unknownCommand(command)
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    const option = /Unknown option '(--?)([^']*)'/.exec(firstLine(error))
    if (option === null) throw usage(firstLine(error), 'run omnigate --help')
    const meant = nearest(option[2] ?? '', Object.keys(OPTIONS))
    throw usage(
      `unknown option ${option[1]}${option[2]}`,
      meant === undefined ? 'run omnigate --help' : `did you mean --${meant}?`,
    )
  }
}

function unknownCommand(command: string): GatewayError {
  if (/[./]/.test(command))
    return usage(`unknown command "${command}"`, `to run with this file, write omnigate --config ${command}`)
  const meant = nearest(command, COMMANDS)
  const hint = meant === undefined ? `commands are ${COMMANDS.join(', ')}; run omnigate --help` : `did you mean "${meant}"?`
  return usage(`unknown command "${command}"`, hint)
}

function isCommand(command: string): boolean {
  return (COMMANDS as readonly string[]).includes(command)
}

function usage(message: string, hint: string): GatewayError {
  return new GatewayError('cli-usage', message, { hint })
}
