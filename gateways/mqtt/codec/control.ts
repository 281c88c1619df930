/**
 * The packets that are not on the data path (CONNECT, SUBSCRIBE, ... and their answers), through mqtt-packet, with the
 * checks that it leaves to its users. Its exceptions and error events become `Malformed` values here.
 */
import type {
  IAuthPacket,
  IConnackPacket,
  IConnectPacket,
  IDisconnectPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
  Parser,
} from 'mqtt-packet'
import { generate, parser as makeParser } from 'mqtt-packet'
import type { Malformed } from '#sdk'
import { malformed } from '#sdk'

export type Version = 3 | 4 | 5

export type ControlPacket = IConnectPacket | ISubscribePacket | IUnsubscribePacket | IDisconnectPacket | IAuthPacket

const REPLACEMENT = '\uFFFD'
const REPLACEMENT_UTF8 = Buffer.from(REPLACEMENT)

interface Decoder {
  readonly parser: Parser
  packet: Packet | undefined
  error: Error | undefined
}

/** A parser takes its version from the CONNECT it saw, so CONNECT has one of its own. */
type DecoderKey = Version | 'connect'

const decoders = new Map<DecoderKey, Decoder>()

/** Decodes one whole packet: a CONNECT, or what follows on a connection of that version. */
export function decodeControl(frame: Uint8Array, version: DecoderKey): Packet | Malformed {
  const decoder = decoderOf(version)
  decoder.packet = undefined
  decoder.error = undefined
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length)
  let left = 0
  try {
    left = decoder.parser.parse(bytes)
  } catch (error) {
    decoder.error = error as Error
  }
  const { packet } = decoder
  if (decoder.error !== undefined || packet === undefined || left !== 0) {
    decoders.delete(version)
    return malformed(reasonOf(decoder.error), 0, true)
  }
  if (!isWellFormedText(packet, bytes)) return malformed('utf-8', 0, true)
  return packet
}

export function encodeControl(packet: Packet, version: Version): Uint8Array {
  return generate(packet, { protocolVersion: version })
}

export function encodeConnack(packet: Omit<IConnackPacket, 'cmd'>, version: Version): Uint8Array {
  return encodeControl({ cmd: 'connack', ...packet }, version)
}

function decoderOf(version: DecoderKey): Decoder {
  let decoder = decoders.get(version)
  if (decoder === undefined) {
    const made: Decoder = {
      parser: makeParser(version === 'connect' ? {} : { protocolVersion: version }),
      packet: undefined,
      error: undefined,
    }
    made.parser.on('packet', (packet) => {
      made.packet = packet
    })
    made.parser.on('error', (error) => {
      made.error = error as Error
    })
    decoders.set(version, made)
    decoder = made
  }
  return decoder
}

/** Ill-formed UTF-8 decodes to U+FFFD, and so does a U+FFFD that was sent: the octets tell them apart [MQTT-1.5.4-1]. */
function isWellFormedText(packet: Packet, bytes: Buffer): boolean {
  let suspicious = 0
  const look = (value: unknown): boolean => {
    if (typeof value === 'string') {
      if (value.includes('\0')) return false // [MQTT-1.5.4-2]
      if (value.includes(REPLACEMENT)) suspicious += value.split(REPLACEMENT).length - 1
      return true
    }
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
    if (Array.isArray(value)) return value.every(look)
    return Object.entries(value).every(([key, inner]) => look(key) && look(inner))
  }
  if (!look(packet)) return false
  for (let at = bytes.indexOf(REPLACEMENT_UTF8); suspicious > 0 && at >= 0; at = bytes.indexOf(REPLACEMENT_UTF8, at + 3))
    suspicious--
  return suspicious === 0
}

function reasonOf(error: Error | undefined): string {
  const text = error?.message.toLowerCase() ?? ''
  if (text.includes('protocol')) return 'protocol-name-or-level'
  if (text.includes('propert')) return 'properties'
  if (text.includes('flag') || text.includes('bits')) return 'flags'
  return 'packet'
}
