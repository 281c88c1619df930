/** How packets reach a client of MQTT-SN 2.0: through a forwarder, under protection, or as they are. */
import type { Link } from '#sdk'
import { encodePacket, type Packet } from '../codec/v2/index.ts'
import type { Shared } from '../shared.ts'
import type { Cover } from './protection.ts'

const RANDOM_BYTES = 4

export interface Path {
  /** Of the node behind the forwarder; undefined without one. */
  readonly forwarded: Uint8Array | undefined
  readonly cover: Cover | undefined
}

/** A packet as it goes out: protected, then encapsulated for a forwarder. */
export function wrap(shared: Shared, link: Link, { cover, forwarded }: Path, packet: Packet): Uint8Array {
  const plain = encodePacket(packet)
  const sealed = cover === undefined ? plain : shared.protection.seal(cover, plain, link.random(RANDOM_BYTES), link.now())
  return forwarded === undefined ? sealed : encodePacket({ type: 'forwarder', address: forwarded, packet: sealed })
}
