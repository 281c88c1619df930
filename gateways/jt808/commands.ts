/**
 * Commands by name: checks the arguments and composes the message that carries them. A new command adds one row; those
 * that every protocol knows have plain names, the standard's own are called by message id: `jt808.8103`.
 */
import * as z from 'zod'
import { fromHex } from '#bytes/hex'
import type { Command, CommandError } from '#sdk'
import { ControlCommand } from './codec/bodies/control.ts'
import { DOORS } from './codec/bodies/information.ts'
import { parameterNamed } from './codec/bodies/parameter-table.ts'
import { type ParameterItem, takeParameter } from './codec/bodies/parameters.ts'
import { TextFlag, type TextMessage } from './codec/bodies/text-message.ts'
import { type Draft, type HeaderForm, isDownlink, messageId, takeDraft, typeOf, writeBody } from './codec/index.ts'

/** Why a command is answered without asking the terminal. */
export interface Rejection {
  readonly code: CommandError
  readonly message: string
}

/** A message to the terminal. */
export interface Composition {
  readonly id: number
  readonly body: Uint8Array
}

/** Makers' messages that are composed from JSON. */
export interface Makers {
  /** The body; undefined when the message is not declared. Throws a RangeError when a count does not fit. */
  compose(id: number, json: unknown): Uint8Array | { readonly faults: readonly string[] } | undefined
}

type Compose = (args: Command['args'], form: HeaderForm) => Draft | Rejection

const COMMANDS: ReadonlyMap<string, Compose> = new Map([
  ['message', message],
  ['read', read],
  ['write', write],
  ['locate', locate],
  ['interval', interval],
  ['reboot', reboot],
  ['jt808.doors', doors],
])

const BY_ID = /^jt808\.([0-9a-f]{4})$/i

/** The message for `command` to a terminal of this form. */
export function compose(
  { name, args }: Pick<Command, 'name' | 'args'>,
  form: HeaderForm,
  makers: Makers,
): Composition | Rejection {
  const known = COMMANDS.get(name)
  if (known !== undefined) return composition(known(args, form), form)
  const id = BY_ID.exec(name)?.[1]
  if (id !== undefined) return composeById(Number.parseInt(id, 16), args, form, makers)
  return {
    code: 'unsupported',
    message: `this gateway has no command '${name}': it knows ${[...COMMANDS.keys()].join(', ')} and jt808.XXXX by message id`,
  }
}

/** The message `id` from the JSON of its body; one that nobody declared takes `hex`. */
export function composeById(id: number, json: unknown, form: HeaderForm, makers: Makers): Composition | Rejection {
  const draft = isDownlink(id) ? takeDraft(id, json, form) : undefined
  if (draft !== undefined) {
    return 'faults' in draft ? badFields(draft) : composition(draft, form)
  }
  const type = typeOf(id)
  if (type !== undefined) return { code: 'unsupported', message: `${type} is a message of the terminal` }
  const body = fitting(() => makers.compose(id, json))
  if (body !== undefined) return 'faults' in body ? badFields(body) : 'code' in body ? body : { id, body }
  const parsed = rawArgs.safeParse(json)
  if (!parsed.success) return badArguments(parsed.error)
  return { id, body: parsed.data.hex }
}

const rawArgs = z.strictObject({
  hex: z.string().transform((text, context) => {
    const bytes = fromHex(text)
    if (bytes !== undefined) return bytes
    context.addIssue({ code: 'custom', message: 'must be hexadecimal' })
    return z.NEVER
  }),
})

function composition(draft: Draft | Rejection, form: HeaderForm): Composition | Rejection {
  if ('code' in draft) return draft
  return fitting(() => ({ id: messageId(draft), body: writeBody(draft, form) }))
}

/** Single values have been checked; what is left is a sum of them that does not fit its count. */
function fitting<T>(encode: () => T): T | Rejection {
  try {
    return encode()
  } catch (error) {
    if (error instanceof RangeError) return { code: 'bad-request', message: error.message }
    throw error
  }
}

function badFields({ faults }: { readonly faults: readonly string[] }): Rejection {
  return { code: 'bad-request', message: faults.join('; ') }
}

// ---- the commands ------------------------------------------------------------------------------------------------

const nothing = z.strictObject({})

function locate(args: Command['args']): Draft | Rejection {
  const parsed = nothing.safeParse(args)
  return parsed.success ? { type: 'location-query', body: {} } : badArguments(parsed.error)
}

function reboot(args: Command['args']): Draft | Rejection {
  const parsed = nothing.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  return { type: 'terminal-control', body: { command: ControlCommand.reset, param: '' } }
}

const doorsArgs = z.strictObject({ lock: z.boolean() })

/** 0x8500. 2013 has a flag that locks; in 2019 the number of control 1 opens (2019: table 49). */
function doors(args: Command['args'], form: HeaderForm): Draft | Rejection {
  const parsed = doorsArgs.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  const { lock } = parsed.data
  if (form === '2013') return { type: 'vehicle-control', body: { flag: lock ? 1 : 0 } }
  return { type: 'vehicle-control', body: { controls: [{ id: DOORS, param: Uint8Array.of(lock ? 0 : 1) }] } }
}

const intervalArgs = z.strictObject({
  /** 0 goes back to what is set. */
  interval_s: z.int().min(0).max(0xffff),
  duration_s: z.int().min(1).max(0xffffffff).default(3600),
})

function interval(args: Command['args']): Draft | Rejection {
  const parsed = intervalArgs.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  const { interval_s, duration_s } = parsed.data
  return { type: 'tracking', body: { period: interval_s, expiry: duration_s } }
}

const readArgs = z.strictObject({
  /** Names or ids; absent is all. */
  parameters: z
    .array(z.union([z.string(), z.int().min(0)]))
    .min(1)
    .max(0xff)
    .optional(),
})

function read(args: Command['args']): Draft | Rejection {
  const parsed = readArgs.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  const { parameters } = parsed.data
  if (parameters === undefined) return { type: 'parameters-query-all', body: {} }
  const ids: number[] = []
  for (const name of parameters) {
    const parameter = parameterNamed(String(name))
    if (parameter === undefined) return unknownParameter(String(name))
    ids.push(parameter.id)
  }
  return { type: 'parameters-query', body: { ids } }
}

const writeArgs = z.strictObject({ parameters: z.record(z.string(), z.unknown()) })

function write(args: Command['args'], form: HeaderForm): Draft | Rejection {
  const parsed = writeArgs.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  const intake = { form, faults: [] as string[] }
  const params: ParameterItem[] = []
  for (const [name, value] of Object.entries(parsed.data.parameters)) {
    const parameter = parameterNamed(name)
    if (parameter === undefined) return unknownParameter(name)
    params.push(takeParameter(parameter.id, value, `args.parameters.${name}`, intake))
  }
  if (params.length === 0) intake.faults.push('args.parameters: names none')
  if (intake.faults.length > 0) return { code: 'bad-request', message: intake.faults.join('; ') }
  return { type: 'set-parameters', body: { params } }
}

function unknownParameter(name: string): Rejection {
  return { code: 'not-found', message: `no parameter is called '${name}': write a name, or an id such as 0x0029` }
}

const messageArgs = z.strictObject({
  text: z.string().min(1),
  flags: z
    .strictObject({
      urgent: z.boolean().default(false),
      display: z.boolean().default(false),
      tts: z.boolean().default(false),
      ad_screen: z.boolean().default(false),
      can_fault: z.boolean().default(false),
    })
    .default({ urgent: false, display: true, tts: false, ad_screen: false, can_fault: false }),
  /** 2019 only. */
  type: z.enum(['notice', 'service']).default('notice'),
})

const NOTICE = 1
const SERVICE = 2

function message(args: Command['args'], form: HeaderForm): Draft | Rejection {
  const parsed = messageArgs.safeParse(args)
  if (!parsed.success) return badArguments(parsed.error)
  const { text, flags, type } = parsed.data
  const shared =
    (flags.display ? TextFlag.display : 0) |
    (flags.tts ? TextFlag.tts : 0) |
    (flags.ad_screen ? TextFlag.adScreen : 0) |
    (flags.can_fault ? TextFlag.canFault : 0)
  const body: TextMessage =
    form === '2013'
      ? { flag: shared | (flags.urgent ? TextFlag.urgent2013 : 0), text_type: undefined, text }
      : { flag: shared | kind2019(flags.urgent, type), text_type: type === 'notice' ? NOTICE : SERVICE, text }
  return { type: 'text-message', body }
}

function kind2019(urgent: boolean, type: 'notice' | 'service'): number {
  if (urgent) return TextFlag.urgent2019
  return type === 'notice' ? TextFlag.notice2019 : TextFlag.service2019
}

function badArguments(error: z.ZodError): Rejection {
  const message = error.issues.map((issue) => `${['args', ...issue.path].join('.')}: ${issue.message}`).join('; ')
  return { code: 'bad-request', message }
}
