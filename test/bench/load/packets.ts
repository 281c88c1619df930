/** The MQTT 3.1.1 packets a load generator sends, and the fixed answers it waits for. */
import type { LoadQos } from './job.ts'

export const CONNACK_ACCEPTED = Buffer.from([0x20, 0x02, 0x00, 0x00]) // 3.2
export const PUBACK = 0x40 // 3.4
export const PUBACK_BYTES = 4
export const PINGREQ = Buffer.from([0xc0, 0x00]) // 3.12
export const PINGRESP = Buffer.from([0xd0, 0x00]) // 3.13

/** 3.1.2.4 */
const CLEAN_SESSION = 0x02
/** 3.3.1.3 */
const RETAIN = 0x01

/** 3.3.1: PUBLISH, not a duplicate. */
export function publishHeader(qos: LoadQos, retain = false): number {
  return 0x30 | (qos << 1) | (retain ? RETAIN : 0)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function packet(header: number, body: Buffer): Buffer {
  if (body.length > 127) throw new Error('a packet of the load generator has a remaining length of one byte')
  return Buffer.concat([Buffer.from([header, body.length]), body])
}

/** 3.1: no keep-alive; a clean session, or one that outlives the connection. */
export function connectPacket(clientId: string, persistent: boolean): Buffer {
  const flags = persistent ? 0 : CLEAN_SESSION
  return packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, flags, 0, 0]), text(clientId)]))
}

/** 3.8, with packet identifier 1. */
export function subscribePacket(filter: string, qos: LoadQos): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([qos])]))
}

/** 3.9, the answer to `subscribePacket` that grants what was asked. */
export function subackPacket(qos: LoadQos): Buffer {
  return Buffer.from([0x90, 0x03, 0, 1, qos])
}

export function publishPacket(topic: string, qos: LoadQos, packetId: number, payload: Buffer, retain = false): Buffer {
  const id = qos === 0 ? Buffer.alloc(0) : Buffer.from([packetId >> 8, packetId & 0xff])
  return packet(publishHeader(qos, retain), Buffer.concat([text(topic), id, payload]))
}

/** Where a PUBLISH of `topic` carries its packet identifier (QoS 1) and its payload. */
export function publishOffsets(topic: string, qos: LoadQos): { readonly packetId: number; readonly payload: number } {
  const packetId = 2 + 2 + Buffer.byteLength(topic)
  return { packetId, payload: packetId + (qos === 0 ? 0 : 2) }
}
