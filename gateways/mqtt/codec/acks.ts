/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP, read in place, and with PINGRESP written side by side into a slab (MQTT 5.0 sections
 * 3.4 to 3.7, 3.13).
 */
import { Slab } from '#bytes/slab'
import type { Delivery } from '#sdk'
import type { PublishSink } from './publish.ts'
import { isAcknowledgementReason } from './reasons.ts'
import { structureFault } from './structure.ts'

export const PUBACK = 0x40
export const PUBREC = 0x50
/** With its reserved flags 0010 [MQTT-3.6.1-1]. */
export const PUBREL = 0x62
export const PUBCOMP = 0x70

const slab = new Slab()
const PINGRESP = new Uint8Array([0xd0, 0])

/** What is wrong with `bytes[start, end)`, an acknowledgement whose variable header begins at `body`; undefined when nothing is. */
export function acknowledgementFault(
  bytes: Uint8Array,
  start: number,
  body: number,
  end: number,
  isV5: boolean,
): string | undefined {
  const first = bytes[start] as number
  const type = first >> 4
  const length = end - body
  if (length < 2) return 'truncated'
  if (length > 2 && !isV5) return 'surplus'
  if ((first & 0x0f) !== (type === PUBREL >> 4 ? 2 : 0)) return 'flags' // [MQTT-3.6.1-1] and the reserved flags of the others
  if (bytes[body] === 0 && bytes[body + 1] === 0) return 'packet-identifier-0'
  if (length === 2) return undefined
  // Only with properties is there more to check; they mean nothing to us.
  if (length > 3) return structureFault(bytes.subarray(start, end), 5)
  return isAcknowledgementReason(type, bytes[body + 2] as number) ? undefined : 'reason-code'
}

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

/**
 * True for an acknowledgement of another exchange than the one that goes on under its identifier: PUBACK answers QoS 1, PUBREC and then
 * PUBCOMP answer QoS 2 [MQTT-4.3.2-2], [MQTT-4.3.3-3]. For an identifier that is not open it is only late.
 */
export function isOutOfTurn(type: number, delivery: Pick<Delivery, 'qos' | 'released'> | undefined): boolean {
  if (delivery === undefined) return false
  switch (type) {
    case PUBACK:
      return delivery.qos !== 1
    case PUBREC:
      return delivery.qos !== 2
    case PUBCOMP:
      return delivery.qos !== 2 || !delivery.released
    default: // PUBREL belongs to what the client sent
      return false
  }
}
