/** The log of the process: pino behind the SDK's `Log`. JSON lines on stderr; on a terminal, one readable line each. */
import { type DestinationStream, destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { LogLevel } from '../config/effective.ts'
import { isRecord } from '../config/path.ts'
import type { Log } from '../sdk.ts'

export interface ProcessLog extends Log {
  /** Of all lines from now on, those of gateways included. */
  setLevel(level: LogLevel): void
  /** Lines carry `node` from now on; gateways that are asked for later inherit it. */
  setNode(name: string): void
  /** The log of one gateway instance: its lines carry `gateway`. */
  gateway(name: string): Log
}

const STDERR = 2
const LEVELS: Readonly<Record<string, { readonly label: string; readonly colour: number }>> = {
  error: { label: 'ERROR', colour: 31 },
  warn: { label: 'WARN ', colour: 33 },
  info: { label: 'INFO ', colour: 32 },
  debug: { label: 'DEBUG', colour: 90 },
}

export function openLog(level: LogLevel, stream: DestinationStream = standardError()): ProcessLog {
  const root = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (value: unknown) => (value instanceof Error ? stdSerializers.err(value) : value) },
    },
    stream,
  )
  const gateways = new Map<string, Logger>()
  return {
    ...logOf(root),
    setLevel(next) {
      root.level = next
      for (const child of gateways.values()) child.level = next
    },
    setNode(name) {
      root.setBindings({ node: name })
    },
    gateway(name) {
      // The name is bound once; lines that repeat it would carry the key twice.
      const child = gateways.get(name) ?? root.child({ gateway: name }, { formatters: { log: withoutGateway } })
      gateways.set(name, child)
      return logOf(child)
    },
  }
}

function withoutGateway(fields: object): object {
  const { gateway: _, ...rest } = fields as Readonly<Record<string, unknown>>
  return rest
}

function logOf(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}

/** Synchronous, so that the last lines before an exit are not lost. */
function standardError(): DestinationStream {
  const raw = destination({ fd: STDERR, sync: true })
  if (!process.stderr.isTTY) return raw
  return { write: (line) => raw.write(`${readable(line, true)}\n`) }
}

/** A JSON line as `08:00:00.123 INFO  trucks: message key=value`; a stack goes to lines of its own. */
export function readable(line: string, colours = false): string {
  const parsed: unknown = JSON.parse(line)
  if (!isRecord(parsed)) return line
  const { level, time, node: _, gateway, msg, error, ...fields } = parsed
  const { label, colour } = LEVELS[String(level)] ?? { label: String(level).toUpperCase(), colour: 0 }
  const failure = isRecord(error) ? { message: error['message'], stack: error['stack'] } : { message: error, stack: undefined }
  const shown = failure.message === undefined ? fields : { ...fields, error: failure.message }
  const rest = Object.entries(shown).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const clock = String(time).slice(11, 23)
  const head = colours ? `\u001b[90m${clock}\u001b[0m \u001b[${colour}m${label}\u001b[0m` : `${clock} ${label}`
  const text = `${head} ${gateway === undefined ? '' : `${String(gateway)}: `}${String(msg ?? '')}${rest.join('')}`
  return failure.stack === undefined ? text : `${text}\n${String(failure.stack)}`
}
