/**
 * Commands by name: checks the arguments and composes the message that carries them. A new command adds one row; those
 * that every protocol knows have plain names, the standard's own are called `jt808.8103`.
 */
import * as z from 'zod'
import type { Command, CommandError } from '#sdk'
import { TextFlag, type TextMessage } from './codec/bodies/text-message.ts'
import type { Draft, HeaderForm } from './codec/index.ts'

/** Why a command is answered without asking the terminal. */
export interface Rejection {
  readonly code: CommandError
  readonly message: string
}

type Compose = (args: Command['args'], form: HeaderForm) => Draft | Rejection

const COMMANDS: ReadonlyMap<string, Compose> = new Map([['message', message]])

/** The message for `command` to a terminal of this form. */
export function compose(command: Command, form: HeaderForm): Draft | Rejection {
  const known = COMMANDS.get(command.name)
  if (known !== undefined) return known(command.args, form)
  return {
    code: 'unsupported',
    message: `this gateway has no command '${command.name}': it knows ${[...COMMANDS.keys()].join(', ')}`,
  }
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
