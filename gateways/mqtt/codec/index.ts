/**
 * MQTT on the wire, packet by packet, for tests and tools. A packet after CONNECT does not say its version, so there is
 * one format for 3.1.1 and one for 5.0; the session itself reads what is on the data path in place.
 */
import type { Packet } from 'mqtt-packet'
import type { Malformed, WireFormat } from '#sdk'
import { isMalformed, isTopicName, malformed } from '#sdk'
import { encodeConnect } from './connect-encoder.ts'
import type { Version } from './control.ts'
import { decodeControl, encodeControl } from './control.ts'
import { MqttFramer } from './framer.ts'

export { MqttFramer } from './framer.ts'

const CONNECT = 1

/** Packets as mqtt-packet names their fields; `version` is that of the connection. */
function wireOf(version: Version): WireFormat<Packet> {
  return {
    codec: {
      decode: (frame) => decode(frame, version),
      encode: (packet) => (packet.cmd === 'connect' ? encodeConnect(packet) : encodeControl(packet, version)),
    },
    framer: () => new MqttFramer(),
  }
}

/** 3.1.1 */
export const wire = wireOf(4)
/** 5.0 */
export const wire5 = wireOf(5)

function decode(frame: Uint8Array, version: Version): Packet | Malformed {
  if (frame.length === 0) return malformed('truncated')
  const packet = decodeControl(frame, (frame[0] as number) >> 4 === CONNECT ? 'connect' : version)
  if (isMalformed(packet) || packet.cmd !== 'publish') return packet
  const alias = packet.properties?.topicAlias
  if (packet.topic === '' && alias !== undefined) return packet
  return isTopicName(packet.topic) ? packet : malformed('topic-name', 0, true)
}
