/** Where a listener binds: `"127.0.0.1:1883"`, `"[::1]:1883"`, `"localhost:1883"`, `":1883"` or `"1883"` (all addresses). */
import { isIP, isIPv4 } from 'node:net'
import type { TransportKind } from '../sdk.ts'

export interface Address {
  /** Without brackets. */
  readonly host: string
  /** 0 is any free port. */
  readonly port: number
}

const ANY_IPV4 = '0.0.0.0'
const ANY_IPV6 = '::'
const MAX_PORT = 65535

/** RFC 1123 2.1: labels of letters, digits and inner hyphens. */
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

/** The address, or what is wrong with the text. */
export function parseBind(text: string): Address | string {
  const trimmed = text.trim()
  const parts = /^(?:\[(?<six>[^\]]*)\]:|(?<name>[^:[\]]*):)?(?<port>\d{1,5})$/.exec(trimmed)?.groups
  if (parts === undefined) {
    if (isIP(trimmed) === 6) return 'an IPv6 address needs brackets and a port'
    return 'is no address with a port'
  }
  const port = Number(parts['port'])
  if (port > MAX_PORT) return `port ${parts['port']} is above ${MAX_PORT}`
  const six = parts['six']
  if (six !== undefined) return isIP(six.split('%', 1)[0] ?? '') === 6 ? { host: six, port } : `"${six}" is no IPv6 address`
  const name = parts['name'] ?? ''
  if (name === '' || name === '*') return { host: ANY_IPV4, port }
  if (isIPv4(name)) return { host: name, port }
  // Digits and dots are a mistyped IPv4 address, not a host name.
  if (/^[\d.]+$/.test(name)) return `"${name}" is no IPv4 address`
  return HOST_NAME.test(name) ? { host: name, port } : `"${name}" is no address and no host name`
}

/** True when devices on other machines can reach it. A host name counts as reachable unless it is `localhost`. */
export function isExposed(host: string): boolean {
  return !(host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.')))
}

/** True when both cannot be bound at once on one machine. */
export function collide(a: Address & { type: TransportKind }, b: Address & { type: TransportKind }): boolean {
  if (a.port === 0 || a.port !== b.port || isDatagram(a.type) !== isDatagram(b.type)) return false
  return covers(a.host, b.host) || covers(b.host, a.host)
}

export function isDatagram(type: TransportKind): boolean {
  return type === 'udp' || type === 'dtls'
}

/** `::` takes IPv4 along, as the operating system does by default. */
function covers(wide: string, narrow: string): boolean {
  if (wide.toLowerCase() === narrow.toLowerCase() || wide === ANY_IPV6) return true
  return wide === ANY_IPV4 && isIP(narrow) !== 6
}
