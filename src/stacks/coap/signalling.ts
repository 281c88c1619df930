/** Signalling messages between the two ends of a connection: RFC 8323 section 5, RFC 8974 2.2.1. */
import { codeOf, NON } from './codes.ts'
import { serialize } from './message.ts'
import type { OptionSet } from './option-set.ts'
import { decodeUint, emptyOption, isCritical, type Option, uintOption } from './options.ts'
import { encodeText } from './text.ts'

export const CSM = codeOf(7, 1)
export const PING = codeOf(7, 2)
export const PONG = codeOf(7, 3)
export const RELEASE = codeOf(7, 4)
export const ABORT = codeOf(7, 5)

// The same number means another option in another message. RFC 8323 5.2
const MAX_MESSAGE_SIZE = 2 // CSM, RFC 8323 5.3.1
const BLOCK_WISE_TRANSFER = 4 // CSM, 5.3.2
const EXTENDED_TOKEN_LENGTH = 6 // CSM, RFC 8974 2.2.1
const CUSTODY = 2 // Ping and Pong, 5.4.1
const BAD_CSM_OPTION = 2 // Abort, 5.6

/** RFC 8323 5.3.1: what may be sent to a peer that has not said more. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1152

export function isSignalling(code: number): boolean {
  return code >> 5 === 7
}

/** What a peer has said about itself; what it does not say again stays as it was. RFC 8323 5.3 */
export interface Capabilities {
  readonly maxMessageBytes: number
  readonly blockwise: boolean
}

export const BASE_CAPABILITIES: Capabilities = { maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES, blockwise: false }

export function readCapabilities(options: OptionSet, before: Capabilities): Capabilities {
  let { maxMessageBytes, blockwise } = before
  for (const { number, value } of options.list()) {
    if (number === MAX_MESSAGE_SIZE && value.length <= 4) maxMessageBytes = decodeUint(value)
    if (number === BLOCK_WISE_TRANSFER) blockwise = true
  }
  return { maxMessageBytes, blockwise }
}

/** The first option that the receiver must understand, and no signalling message has. RFC 8323 5.2 */
export function unknownCritical(options: OptionSet): number | undefined {
  return options.list().find(({ number }) => isCritical(number))?.number
}

export function hasCustody(options: OptionSet): boolean {
  return options.list().some(({ number }) => number === CUSTODY)
}

function signal(code: number, options: readonly Option[], token = '', diagnostic = ''): Uint8Array {
  return serialize(NON, code, 0, token, options, encodeText(diagnostic))
}

/** All of these as datagrams, see `frameOf`. */
export function csm(maxMessageBytes: number, maxTokenBytes: number): Uint8Array {
  const options = [uintOption(MAX_MESSAGE_SIZE, maxMessageBytes), emptyOption(BLOCK_WISE_TRANSFER)]
  if (maxTokenBytes > 8) options.push(uintOption(EXTENDED_TOKEN_LENGTH, maxTokenBytes))
  return signal(CSM, options)
}

export function pong(token: string, custody: boolean): Uint8Array {
  return signal(PONG, custody ? [emptyOption(CUSTODY)] : [], token)
}

export function release(diagnostic: string): Uint8Array {
  return signal(RELEASE, [], '', diagnostic)
}

/** `badCsmOption`: the option of a CSM that was not understood. */
export function abort(diagnostic: string, badCsmOption?: number): Uint8Array {
  return signal(ABORT, badCsmOption === undefined ? [] : [uintOption(BAD_CSM_OPTION, badCsmOption)], '', diagnostic)
}
