/** What travels: RFC 7252 messages, one in each datagram; RFC 8323 frames over streams. */
import { isMalformed, type WireFormat } from '#sdk'
import { codeText } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize } from '#stacks/coap/message'
import { decodeUint, type Option, optionDefinition, optionName } from '#stacks/coap/options'
import { datagramOf, frameOf, StreamFramer } from '#stacks/coap/stream-frame'
import { decodeText } from '#stacks/coap/text'

export const wire: WireFormat<CoapMessage> = {
  codec: {
    decode: (frame) => parse(frame),
    encode: ({ type, code, messageId, token, options, payload }) =>
      serialize(type, code, messageId, token, options.list(), payload),
  },
}

/** As large as a frame of a peer that has not been told otherwise. */
const MAX_FRAME_BYTES = 131_072

export const streamWire: WireFormat<CoapMessage> = {
  framer: () => new StreamFramer(MAX_FRAME_BYTES),
  codec: {
    decode: (frame) => {
      const datagram = datagramOf(Uint8Array.from(frame), false)
      return isMalformed(datagram) ? datagram : parse(datagram)
    },
    encode: (message) => frameOf(wire.codec.encode(message), false),
  },
}

const TYPES = ['CON', 'NON', 'ACK', 'RST'] as const

/** A message for people: names for numbers, hex for octets. */
export interface NativeMessage {
  readonly type: (typeof TYPES)[number]
  /** `0.02`, `2.05` */
  readonly code: string
  readonly message_id: number
  readonly token: string
  /** In the order of the message: a number for uint options, text for strings, hex for the rest. */
  readonly options: readonly (readonly [name: string, value: string | number])[]
  readonly payload: string
}

export function nativeOf(message: CoapMessage): NativeMessage {
  return {
    type: TYPES[message.type],
    code: codeText(message.code),
    message_id: message.messageId,
    token: Buffer.from(message.token, 'latin1').toString('hex'),
    options: message.options.list().map((option) => [optionName(option.number), nativeValue(option)]),
    payload: hex(message.payload),
  }
}

function nativeValue({ number, value }: Option): string | number {
  switch (optionDefinition(number)?.format) {
    case 'uint':
      return value.length <= 4 ? decodeUint(value) : hex(value)
    case 'string':
      return decodeText(value) ?? hex(value)
    default:
      return hex(value)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
