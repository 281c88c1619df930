/** Builds PROXY protocol version 2 headers for tests. */
import { crc32c } from './crc32c.ts'

export interface V2Fields {
  /** Version and command; default PROXY. */
  readonly command?: number
  /** Family and transport; default TCP over IPv4. */
  readonly family?: number
  readonly address: readonly number[]
  readonly port?: number
  readonly values?: Buffer
  /** Ends with a right CRC-32C value. */
  readonly checksum?: boolean
}

export function tlv(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value])
}

export function proxyV2({ command = 0x21, family = 0x11, address, port, values, checksum = false }: V2Fields): Buffer {
  const ports = port === undefined ? [] : [port >> 8, port & 0xff, 0x07, 0x5b]
  const destination = port === undefined ? [] : address.map(() => 7)
  const crc = checksum ? tlv(3, Buffer.alloc(4)) : Buffer.alloc(0)
  const body = Buffer.concat([Buffer.from([...address, ...destination, ...ports]), values ?? Buffer.alloc(0), crc])
  const prefix = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), command, family, body.length >> 8, body.length & 0xff])
  const header = Buffer.concat([prefix, body])
  if (checksum) header.writeUInt32BE(crc32c(header), header.length - 4)
  return header
}
