/**
 * What an endpoint must not forget while its peer is silent: the last message id (RFC 7252 4.4), and what repetitions of
 * answered requests get (4.5). One string, one character per byte: there may be as many as there are peers.
 */
import { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import type { MessageType } from './codes.ts'
import { Exchange, type ExchangeHost } from './exchange.ts'
import { NO_OPTIONS } from './option-set.ts'

const writer = new Writer()

/** Every exchange is answered. */
export function packExchanges(lastMessageId: number, exchanges: Iterable<Exchange>): string {
  writer.reset().u16(lastMessageId)
  for (const { type, code, messageId, token, at, remembered } of exchanges) {
    writer
      .u8(type)
      .u8(code)
      .u16(messageId)
      .u16(Math.floor(at / 2 ** 32))
      .u32(at)
    putText(token)
    writer.u32(remembered.length).put(remembered)
  }
  return Buffer.from(writer.bytes.buffer, 0, writer.length).toString('latin1')
}

export function unpackExchanges(packed: string, host: ExchangeHost): { lastMessageId: number; exchanges: Exchange[] } {
  const bytes = new Uint8Array(packed.length)
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i)
  const reader = new Reader(bytes)
  const lastMessageId = reader.u16()
  const exchanges: Exchange[] = []
  while (reader.remaining > 0) {
    const type = reader.u8() as MessageType
    const request = { type, code: reader.u8(), messageId: reader.u16(), options: NO_OPTIONS }
    const at = reader.u16() * 2 ** 32 + reader.u32()
    const token = Buffer.from(reader.take(reader.u32())).toString('latin1')
    const exchange = new Exchange(host, { ...request, token }, at)
    exchange.recall(reader.take(reader.u32()))
    exchanges.push(exchange)
  }
  return { lastMessageId, exchanges }
}

/** One byte per character. */
function putText(text: string): void {
  writer.u32(text.length)
  for (let i = 0; i < text.length; i++) writer.u8(text.charCodeAt(i))
}
