/** Writes datagrams as a capture file that Wireshark reads: UDP in IPv4, without a link layer. */
import { writeFileSync } from 'node:fs'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

const MAGIC = 0xa1b2c3d4
const LINKTYPE_RAW = 101
const SNAP_LENGTH = 65_535
const IP_HEADER = 20 // RFC 791 3.1
const UDP_HEADER = 8 // RFC 768
const PROTOCOL_UDP = 17

export class CaptureFile {
  readonly #parts: Buffer[] = []

  constructor() {
    const header = Buffer.alloc(24)
    header.writeUInt32BE(MAGIC, 0)
    header.writeUInt16BE(2, 4)
    header.writeUInt16BE(4, 6)
    header.writeUInt32BE(SNAP_LENGTH, 16)
    header.writeUInt32BE(LINKTYPE_RAW, 20)
    this.#parts.push(header)
  }

  get packets(): number {
    return (this.#parts.length - 1) / 2
  }

  /** One second after another, so that order is visible. */
  add(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    const size = IP_HEADER + UDP_HEADER + payload.length
    const record = Buffer.alloc(16)
    record.writeUInt32BE(this.packets, 0)
    record.writeUInt32BE(size, 8)
    record.writeUInt32BE(size, 12)
    const packet = Buffer.alloc(size)
    packet[0] = 0x45
    packet.writeUInt16BE(size, 2)
    packet[8] = 64
    packet[9] = PROTOCOL_UDP
    packet.set(octets(from.address), 12)
    packet.set(octets(to.address), 16)
    packet.writeUInt16BE(from.port, IP_HEADER)
    packet.writeUInt16BE(to.port, IP_HEADER + 2)
    packet.writeUInt16BE(UDP_HEADER + payload.length, IP_HEADER + 4)
    packet.set(payload, IP_HEADER + UDP_HEADER)
    this.#parts.push(record, packet)
  }

  write(path: string): void {
    writeFileSync(path, Buffer.concat(this.#parts))
  }
}

function octets(address: string): number[] {
  return address.split('.').map(Number)
}
