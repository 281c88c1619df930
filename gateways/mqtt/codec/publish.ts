/**
 * PUBLISH, by hand: the packet that decides how fast a broker is (MQTT 5.0 section 3.3, 3.1.1 section 3.3). A QoS 0
 * packet goes to receivers of its version as the octets that came in; other copies are made by patching a template.
 */
import { Slab } from '#bytes/slab'
import type { Delivery } from '#sdk'
import type { OutgoingAliases } from './outgoing-aliases.ts'
import { encodePublishProperties } from './properties.ts'

export interface PublishSink {
  send(bytes: Uint8Array, start: number, end: number): void
}

/** Wire forms kept on a message: whole QoS 0 packets, and packets with an identifier to be patched. */
export const V3_PLAIN = { form: '3.x QoS 0' }
export const V3_NUMBERED = { form: '3.x QoS 1 and 2' }
export const V5_PLAIN = { form: '5 QoS 0' }
export const V5_NUMBERED = { form: '5 QoS 1 and 2' }

const PUBLISH = 0x30
const DUP = 0x08
const RETAIN = 0x01

const slab = new Slab()
const utf8 = new TextEncoder()

/** Sends a delivery to a 3.1 or 3.1.1 client. */
export function sendPublishV3(delivery: Delivery, sink: PublishSink): void {
  const { message, qos } = delivery
  if (qos === 0) {
    if (!delivery.retain) {
      if (message.sendForm(V3_PLAIN, sink)) return
      const { bytes, start, end } = encode(PUBLISH, message.topic, message.payload, 0, undefined)
      message.setForm(V3_PLAIN, bytes, start, end)
      sink.send(bytes, start, end)
      return
    }
    const { bytes, start, end } = encode(PUBLISH | RETAIN, message.topic, message.payload, 0, undefined)
    sink.send(bytes, start, end)
    return
  }
  const first = PUBLISH | (delivery.dup ? DUP : 0) | (qos << 1) | (delivery.retain ? RETAIN : 0)
  patcher.first = first
  patcher.id = delivery.id
  patcher.sink = sink
  if (message.sendForm(V3_NUMBERED, patcher)) return
  const { bytes, start, end } = encode(first, message.topic, message.payload, delivery.id, undefined)
  message.setForm(V3_NUMBERED, bytes, start, end)
  sink.send(bytes, start, end)
}

/** A topic that is no longer than the alias property gains nothing by one. */
const ALIAS_OCTETS = 3

/**
 * Sends a delivery to a 5.0 client; false when it would exceed the client's maximum packet size [MQTT-3.1.2-24].
 * `aliases` is undefined where the client takes none [MQTT-3.1.2-27].
 */
export function sendPublishV5(
  delivery: Delivery,
  sink: PublishSink,
  now: number,
  maxBytes: number,
  aliases: OutgoingAliases | undefined,
): boolean {
  const { message, qos } = delivery
  const { topic } = message
  const known = aliases === undefined ? 0 : aliases.known(topic)
  const fresh = aliases === undefined || known > 0 || topic.length <= ALIAS_OCTETS ? 0 : aliases.free
  const alias = known || fresh
  const first = PUBLISH | (delivery.dup ? DUP : 0) | (qos << 1) | (delivery.retain ? RETAIN : 0)
  // What no receiver gets differently, up to its first octet and identifier.
  const form =
    alias > 0 || delivery.subscriptionIds !== undefined || message.expiresAt > 0
      ? undefined
      : qos > 0
        ? V5_NUMBERED
        : delivery.retain
          ? undefined
          : V5_PLAIN
  if (form !== undefined) {
    patcher.first = first
    patcher.id = delivery.id
    patcher.sink = sink
    const way = qos > 0 ? patcher : sink
    if (maxBytes === Number.POSITIVE_INFINITY) {
      if (message.sendForm(form, way)) return true
    } else {
      limiter.maxBytes = maxBytes
      limiter.sink = way
      if (message.sendForm(form, limiter)) return limiter.fits
    }
  }
  // [MQTT-3.3.2-6]: what is left of the expiry; at least 1, 0 would be no message.
  const expirySeconds = message.expiresAt === 0 ? undefined : Math.max(1, Math.ceil((message.expiresAt - now) / 1000))
  const properties = encodePublishProperties(message.properties, expirySeconds, delivery.subscriptionIds, alias)
  const { bytes, start, end } = encode(first, known > 0 ? '' : topic, message.payload, delivery.id, properties)
  // With a new alias too large, it may still fit by its name alone.
  if (end - start > maxBytes) return fresh > 0 && sendPublishV5(delivery, sink, now, maxBytes, undefined)
  if (fresh > 0) aliases?.told(topic)
  if (form !== undefined) message.setForm(form, bytes, start, end)
  sink.send(bytes, start, end)
  return true
}

/** Copies a numbered packet and gives the copy its own first octet and identifier. */
const patcher = {
  first: 0,
  id: 0,
  sink: undefined as PublishSink | undefined,
  send(source: Uint8Array, start: number, end: number): void {
    const at = slab.reserve(end - start)
    const { bytes } = slab
    if (source === bytes) bytes.copyWithin(at, start, end)
    else bytes.set(source.subarray(start, end), at)
    bytes[at] = this.first
    let p = at + 1
    while ((bytes[p++] as number) > 127);
    const id = p + 2 + (((bytes[p] as number) << 8) | (bytes[p + 1] as number))
    bytes[id] = this.id >> 8
    bytes[id + 1] = this.id & 255
    this.sink?.send(bytes, at, at + end - start)
  },
}

/** Passes a packet on unless it is too large. */
const limiter = {
  maxBytes: 0,
  fits: true,
  sink: undefined as PublishSink | undefined,
  send(bytes: Uint8Array, start: number, end: number): void {
    this.fits = end - start <= this.maxBytes
    if (this.fits) this.sink?.send(bytes, start, end)
  },
}

interface Range {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

function encode(first: number, topic: string, payload: Uint8Array, id: number, properties: Uint8Array | undefined): Range {
  const topicLength = Buffer.byteLength(topic)
  const numbered = (first & 0x06) !== 0
  const remaining = 2 + topicLength + (numbered ? 2 : 0) + (properties?.length ?? 0) + payload.length
  const start = slab.reserve(1 + lengthOctets(remaining) + remaining)
  const { bytes } = slab
  let at = start
  bytes[at++] = first
  let rest = remaining
  do {
    bytes[at++] = (rest & 127) | (rest > 127 ? 128 : 0)
    rest >>>= 7
  } while (rest > 0)
  bytes[at++] = topicLength >> 8
  bytes[at++] = topicLength & 255
  if (topicLength === topic.length && topicLength < 64) {
    for (let i = 0; i < topicLength; i++) bytes[at + i] = topic.charCodeAt(i)
  } else {
    utf8.encodeInto(topic, bytes.subarray(at, at + topicLength))
  }
  at += topicLength
  if (numbered) {
    bytes[at++] = id >> 8
    bytes[at++] = id & 255
  }
  if (properties !== undefined) {
    bytes.set(properties, at)
    at += properties.length
  }
  bytes.set(payload, at)
  return { bytes, start, end: at + payload.length }
}

function lengthOctets(remaining: number): number {
  if (remaining < 128) return 1
  if (remaining < 16_384) return 2
  return remaining < 2_097_152 ? 3 : 4
}
