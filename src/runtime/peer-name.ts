/** A peer as people write it: `127.0.0.1:50233`, `[::1]:50233`. */
import type { Peer } from '../sdk.ts'

export function peerName(peer: Peer): string {
  return peer.address.includes(':') ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`
}
