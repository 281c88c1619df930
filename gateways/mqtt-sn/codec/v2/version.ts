/**
 * Which version of MQTT-SN somebody speaks, by the first datagram that comes from an address. The numbers of both
 * versions overlap; where a datagram could be either, it is 1.2, which has been there for longer.
 */
import { LONG_LENGTH } from '../decode.ts'
import { MessageType } from '../messages.ts'
import { PacketType, PROTOCOL_VERSION } from './constants.ts'
import { WITH_WILL } from './flags.ts'

export type Version = '1.2' | '2.0'

/** Flags of PUBWOS that are none of a SUBSCRIBE: a topic by name is a reserved kind of topic in 1.2. */
const BY_NAME = 0x03
const ALL_BUT_RETAIN = 0xef
const BY_ALIAS = 0x01
/** After the type, a SUBSCRIBE to a predefined topic has flags, message id and topic id. */
const SUBSCRIBE_BODY = 5

export function versionOf(datagram: Uint8Array): Version {
  const long = datagram[0] === LONG_LENGTH
  const start = long ? 4 : 2
  const length = long ? ((datagram[1] as number) << 8) | (datagram[2] as number) : datagram[0]
  const isWhole = length === datagram.length
  switch (datagram[start - 1]) {
    case PacketType.connect:
      return isConnect(datagram, start) ? '2.0' : '1.2'
    case PacketType.pubwos:
      return isPubwos(datagram, start) ? '2.0' : '1.2'
    // A PINGRESP of 1.2, which answers a question that nobody has asked at a new address.
    case PacketType.searchgw:
    case PacketType.forwarder:
    case PacketType.protection:
      return '2.0'
    // The length of 1.2's forwarder encapsulation ends before what it carries.
    case MessageType.forwarder:
      return isWhole ? '2.0' : '1.2'
    default:
      return '1.2'
  }
}

/** SEARCHGW of 1.2 has one octet. */
function isConnect(datagram: Uint8Array, start: number): boolean {
  const willFlags = ((datagram[start] as number) & WITH_WILL) === 0 ? 0 : 1
  return datagram[start + willFlags + 3] === PROTOCOL_VERSION
}

function isPubwos(datagram: Uint8Array, start: number): boolean {
  const flags = (datagram[start] as number) & ALL_BUT_RETAIN
  return flags === BY_NAME || (flags === BY_ALIAS && datagram.length - start !== SUBSCRIBE_BODY)
}
