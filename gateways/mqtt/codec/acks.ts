/** PUBACK, PUBREC, PUBREL, PUBCOMP and PINGRESP, written side by side into a slab (MQTT 5.0 sections 3.4 to 3.7, 3.13). */
import { Slab } from '#bytes/slab'
import type { PublishSink } from './publish.ts'

export const PUBACK = 0x40
export const PUBREC = 0x50
/** With its reserved flags 0010 [MQTT-3.6.1-1]. */
export const PUBREL = 0x62
export const PUBCOMP = 0x70

const slab = new Slab()
const PINGRESP = new Uint8Array([0xd0, 0])

/** Success: two octets of remaining length, in every version (MQTT 5.0 section 3.4.2.1). */
export function sendAck(first: number, id: number, sink: PublishSink): void {
  const at = slab.reserve(4)
  const { bytes } = slab
  bytes[at] = first
  bytes[at + 1] = 2
  bytes[at + 2] = id >> 8
  bytes[at + 3] = id & 255
  sink.send(bytes, at, at + 4)
}

/** With a reason code, for 5.0 only. */
export function sendAckReason(first: number, id: number, reason: number, sink: PublishSink): void {
  const at = slab.reserve(5)
  const { bytes } = slab
  bytes[at] = first
  bytes[at + 1] = 3
  bytes[at + 2] = id >> 8
  bytes[at + 3] = id & 255
  bytes[at + 4] = reason
  sink.send(bytes, at, at + 5)
}

export function sendPingresp(sink: PublishSink): void {
  sink.send(PINGRESP, 0, 2)
}
