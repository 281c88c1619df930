/**
 * Every command gets exactly one response. Sessions answer the commands that reach them; this answers those that
 * reach nobody: the device is offline, or its queue was full or the command too old when it came back.
 */
import type { BrokerCore } from '../broker/core.ts'
import type { DropReason } from '../broker/port.ts'
import type { CommandError, Message } from '../sdk.ts'
import { commandDevice, parseCommand, responseMessages } from '../sdk.ts'

const ANSWERS: Readonly<Partial<Record<DropReason, readonly [CommandError, string]>>> = {
  offline: ['offline', 'the device went offline before it took the command'],
  'session-ended': ['offline', "the device's session ended before it took the command"],
  expired: ['timeout', 'the command expired before the device took it'],
  'queue-full': ['refused', "the device's queue is full"],
}

export class UndeliveredCommands {
  readonly #core: () => BrokerCore

  constructor(core: () => BrokerCore) {
    this.#core = core
  }

  unaddressed(message: Message, device: string): void {
    const online = this.#core().client(device)?.connected === true
    if (online) this.#answer(device, message, 'unsupported', 'the device is connected but takes no commands')
    else this.#answer(device, message, 'offline', 'the device is not connected')
  }

  dropped(reason: DropReason, message: Message): void {
    const device = commandDevice(message.topic)
    const answer = ANSWERS[reason]
    if (device !== undefined && answer !== undefined) this.#answer(device, message, answer[0], answer[1])
  }

  #answer(device: string, message: Message, code: CommandError, text: string): void {
    const command = parseCommand(message)
    const id = command.id ?? null
    const error = 'code' in command ? { code: command.code, message: command.message } : { code, message: text }
    for (const response of responseMessages(id, device, { ok: false, error }, message.properties ?? {}))
      this.#core().publish(response)
  }
}
