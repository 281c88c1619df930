/** The full decode of a message as JSON, under the names that applications of other platforms know. */
import { toHex } from '#bytes/hex'
import type { Header } from './header.ts'
import type { Message } from './messages.ts'
import { presentBody } from './messages.ts'

/** `{"header":{"msg_id":512,...},"body":{...}}`; an opaque body is hex. */
export function nativeOf(message: Message): Readonly<Record<string, unknown>> {
  return {
    header: presentHeader(message.header),
    body: message.type === 'opaque' ? opaqueOf(message.body) : presentBody(message),
  }
}

/** Members that are undefined are left out of the JSON. */
export function presentHeader({ id, encryption, length, phone, sn, form, protocol, part }: Header): object {
  return {
    msg_id: id,
    encrypt: encryption,
    len: length,
    proto_ver: form === '2019' ? protocol : undefined,
    phone,
    msg_sn: sn,
    frag_total: part?.total,
    frag_sn: part?.sn,
  }
}

function opaqueOf(body: Uint8Array): object {
  return { unknown_id: true, data: toHex(body) }
}
