#!/usr/bin/env -S node --max-semi-space-size=8
/** Composition root and command line: the only file that creates everything. */
import { parseCommand, USAGE } from './cli/arguments.ts'
import { check } from './cli/check.ts'
import { openLog } from './cli/log.ts'
import { EXIT, processOutput } from './cli/output.ts'
import { packageVersion } from './cli/package.ts'
import { printSchema } from './cli/schema.ts'
import { start } from './cli/start.ts'
import { GatewayError } from './config/errors.ts'
import { Registry } from './runtime/registry.ts'

async function main(argv: readonly string[]): Promise<number> {
  const directory = process.cwd()
  const environment = process.env
  const modules = new Registry()
  const command = parseCommand(argv)
  switch (command.name) {
    case 'help':
      processOutput.out(USAGE.trimEnd())
      return EXIT.ok
    case 'version':
      processOutput.out(packageVersion())
      return EXIT.ok
    case 'check':
      return check({ file: command.file, directory, environment, modules }, processOutput)
    case 'schema':
      return printSchema({ gateway: command.gateway, directory, modules }, processOutput)
    case 'start': {
      const log = openLog('info')
      for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
        process.on(event, (error: unknown) => {
          log.error({ code: 'internal-fault', error }, `${event}: the process ends`)
          process.exit(EXIT.failure)
        })
      }
      // Only a start needs the broker and the transports.
      const { startRuntime } = await import('./runtime/runtime.ts')
      const { config } = command
      return start(
        { config, directory, environment, modules, version: packageVersion(), log, signals: process, startRuntime },
        processOutput,
      )
    }
  }
}

// Whoever reads our output may leave early.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  const code = await main(process.argv.slice(2))
  // A pipe takes what is written in its own time; only then may the process end.
  process.stdout.write('', () => process.exit(code))
} catch (error) {
  if (!(error instanceof GatewayError)) throw error
  processOutput.err(`omnigate: ${error.message}. ${error.hint.charAt(0).toUpperCase()}${error.hint.slice(1)}`)
  process.exitCode = error.code === 'cli-usage' ? EXIT.usage : EXIT.failure
}
