/**
 * The packets that are not on the data path (CONNECT, SUBSCRIBE, ... and their answers), through mqtt-packet, once
 * `structureFault` has found nothing. Exceptions and error events of mqtt-packet become `Malformed` values here.
 */
import type { IConnackPacket, Packet, Parser } from 'mqtt-packet'
import { generate, parser as makeParser, writeToStream } from 'mqtt-packet'
import type { Malformed } from '#sdk'
import { malformed } from '#sdk'
import { structureFault } from './structure.ts'

// A buffer for every number of two octets would cost 7 MiB, and the packets that go this way are few.
writeToStream.cacheNumbers = false

export type Version = 3 | 4 | 5

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
  const fault = structureFault(frame, version)
  if (fault !== undefined) return malformed(fault, 0, true)
  const decoder = decoderOf(version)
  decoder.packet = undefined
  decoder.error = undefined
  let left = 0
  try {
    left = decoder.parser.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.length))
  } catch (error) {
    decoder.error = error as Error
  }
  const { packet } = decoder
  if (decoder.error !== undefined || packet === undefined || left !== 0) {
    decoders.delete(version)
    return malformed(reasonOf(decoder.error), 0, true)
  }
  return packet
}

export function encodeControl(packet: Packet, version: Version): Uint8Array {
  return generate(packet, { protocolVersion: version })
}

export function encodeConnack(packet: Omit<IConnackPacket, 'cmd'>, version: Version): Uint8Array {
  return encodeControl({ cmd: 'connack', ...packet }, version)
}

/**
 * For a client that takes packets of `maxBytes` at most: a reason in words gives way [MQTT-3.2.2-19], [MQTT-3.4.2-2],
 * [MQTT-3.9.2-1], [MQTT-3.14.2-3]. Undefined where the packet is too large without it, too [MQTT-3.1.2-24].
 */
export function encodeWithin(packet: Packet, version: Version, maxBytes: number): Uint8Array | undefined {
  const told = encodeControl(packet, version)
  if (told.length <= maxBytes) return told
  const bare = encodeControl(withoutReason(packet), version)
  return bare.length <= maxBytes ? bare : undefined
}

export function withoutReason(packet: Packet): Packet {
  const { reasonString: _, ...properties } = (packet as { properties?: { reasonString?: string } }).properties ?? {}
  return { ...packet, properties } as Packet
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

function reasonOf(error: Error | undefined): string {
  const text = error?.message.toLowerCase() ?? ''
  if (text.includes('protocol')) return 'protocol-name-or-level'
  if (text.includes('propert')) return 'properties'
  if (text.includes('flag') || text.includes('bits')) return 'flags'
  return 'packet'
}
