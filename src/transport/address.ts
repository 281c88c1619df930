/** Addresses as people write them. */

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const MAPPED = '::ffff:'

/** The IPv4 address that an IPv6 socket sees as `::ffff:192.0.2.1` (RFC 4291 2.5.5.2); any other as it is. */
export function plainAddress(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address
}
