/** What a datagram socket has to do with groups: which it hears, and to which its gateway speaks first (RFC 1112). */
import type { Socket } from 'node:dgram'
import { ListenError } from './listen-error.ts'

export interface MulticastOptions {
  /** Groups to join. The socket must be bound to all addresses. */
  readonly groups: readonly string[]
  /** Groups or broadcast addresses that get a wire of their own, from which nothing is ever heard. */
  readonly announceTo: readonly { readonly host: string; readonly port: number }[]
  /** Address of the interface that joins and announces; absent: the system's choice. */
  readonly interface?: string | undefined
  /** Routers that an announcement passes, 1 is none. */
  readonly hops: number
}

/** Makes a bound socket join and ready to announce; throws a `ListenError` that names the group. */
export function setMulticast(socket: Socket, { groups, announceTo, interface: address, hops }: MulticastOptions): void {
  for (const group of groups) {
    attempt(`join ${group}`, address, () => socket.addMembership(group, address))
  }
  if (announceTo.length === 0) return
  attempt('announce', address, () => {
    socket.setBroadcast(true)
    socket.setMulticastTTL(hops)
    if (address !== undefined) socket.setMulticastInterface(address)
  })
}

function attempt(what: string, address: string | undefined, action: () => void): void {
  try {
    action()
  } catch (cause) {
    const where = address === undefined ? '' : ` on ${address}`
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ListenError('failed', `cannot ${what}${where}: ${why}; check the interface and its multicast route`, cause)
  }
}
