/**
 * Protection encapsulation with pre-shared keys (MQTT-SN 2.0): opens what a sender has sealed, and seals what goes back
 * to it in the same scheme with the same key. Every octet before the protected packet is authenticated; the nonce is the
 * beginning of their SHA-256.
 */
import { fromHex, toHex } from '#bytes/hex'
import type { Aead, Crypto } from '#sdk'
import { LONG_LENGTH } from '../codec/decode.ts'
import { type PacketOf, PacketType, protectionHeader, Reason } from '../codec/v2/index.ts'
import type { Config } from '../config.ts'
import { SCHEMES, type Scheme, tagBytesOf } from './schemes.ts'

const LONGEST_SHORT = 255
const COUNTER_BYTES = 4
const RANDOM_BYTES = 4
const COUNTER_END = 2 ** 32
const SECOND_MS = 1000

/** One key, its sender, and how far its counters have come. */
export class Sender {
  /** Its id in hex. */
  readonly name: string
  readonly key: Uint8Array
  readonly scheme: Scheme
  received = -1
  sent = 0

  constructor(name: string, key: Uint8Array, scheme: Scheme) {
    this.name = name
    this.key = key
    this.scheme = scheme
  }
}

/** What protects the packets of one client, in both directions. */
export interface Cover {
  readonly sender: Sender
  readonly tagLength: number
}

export type Opened = { readonly packet: Uint8Array; readonly cover: Cover } | { readonly refused: number } | 'forged' | 'replayed'

export class Protection {
  readonly #ciphers: Crypto
  readonly #serverId: Uint8Array
  readonly #requireCounter: boolean
  readonly #senders = new Map<string, Sender>()

  /** `former`: the counters of a sender whose key stays the same go on. */
  constructor(config: Config['protection'], crypto: Crypto, former?: Protection) {
    this.#ciphers = crypto
    this.#requireCounter = config.requireCounter
    this.#serverId = fromHex(config.senderId) as Uint8Array
    for (const { senderId, psk, scheme } of config.keys) {
      const id = senderId.toLowerCase()
      const sender = new Sender(id, fromHex(psk) as Uint8Array, SCHEMES[scheme] as Scheme)
      const old = former === undefined ? undefined : former.#senders.get(id)
      if (old !== undefined && toHex(old.key) === toHex(sender.key)) {
        sender.received = old.received
        sender.sent = old.sent
      }
      this.#senders.set(id, sender)
    }
  }

  /** `datagram` is the packet on the wire. */
  open(datagram: Uint8Array, protection: PacketOf<'protection'>): Opened {
    if (this.#senders.size === 0) return { refused: Reason.protectionUnsupported }
    const sender = this.#senders.get(toHex(protection.senderId))
    if (sender === undefined) return { refused: Reason.unknownSender }
    const { scheme } = sender
    const { tagLength, sealed, counter } = protection
    const tagBytes = tagBytesOf(scheme, tagLength)
    if (scheme.id !== protection.scheme || tagBytes === undefined) return { refused: Reason.schemeInvalid }
    const packet = this.#unseal(sender, datagram.subarray(0, datagram.length - sealed.length), sealed, tagBytes)
    if (packet === undefined) return 'forged'
    if (!this.#advance(sender, counter)) return 'replayed'
    return { packet, cover: { sender, tagLength } }
  }

  /** One packet to whoever spoke under this cover. */
  seal({ sender, tagLength }: Cover, packet: Uint8Array, random: Uint8Array, nowMs: number): Uint8Array {
    const { scheme } = sender
    const tagBytes = tagBytesOf(scheme, tagLength) as number
    // The time of day, so that it has grown also when the process has started anew.
    sender.sent = Math.max(sender.sent + 1, Math.floor(nowMs / SECOND_MS)) % COUNTER_END
    const fields = protectionHeader({
      tagLength,
      scheme: scheme.id,
      senderId: this.#serverId,
      random: random.subarray(0, RANDOM_BYTES),
      keyMaterial: new Uint8Array(0),
      counter: bigEndian(sender.sent),
    })
    const header = headed(fields, packet.length + tagBytes)
    const sealed =
      scheme.cipher === undefined
        ? Buffer.concat([packet, this.#tag(sender, [header, packet], tagBytes)])
        : this.#ciphers.seal(this.#aead(sender, header, tagBytes), packet)
    return Buffer.concat([header, sealed])
  }

  #unseal(sender: Sender, header: Uint8Array, sealed: Uint8Array, tagBytes: number): Uint8Array | undefined {
    if (sender.scheme.cipher !== undefined) return this.#ciphers.open(this.#aead(sender, header, tagBytes), sealed)
    const packet = sealed.subarray(0, sealed.length - tagBytes)
    const isWhole = sealed.length > tagBytes && tagBytes <= sender.scheme.tagBytes
    const tag = sealed.subarray(sealed.length - tagBytes)
    return isWhole && this.#ciphers.isEqual(this.#tag(sender, [header, packet], tagBytes), tag) ? packet : undefined
  }

  #tag(sender: Sender, parts: readonly Uint8Array[], tagBytes: number): Uint8Array {
    return this.#ciphers.hmacSha256(sender.key, Buffer.concat(parts)).subarray(0, tagBytes)
  }

  #aead({ scheme, key }: Sender, header: Uint8Array, tagBytes: number): Aead {
    const nonce = this.#ciphers.sha256(header).subarray(0, scheme.nonceBytes)
    return { cipher: scheme.cipher as NonNullable<Scheme['cipher']>, key, nonce, tagBytes, associated: header }
  }

  /** A counter that has not grown is somebody's recording. */
  #advance(sender: Sender, counter: Uint8Array): boolean {
    if (counter.length === 0) return !this.#requireCounter
    let value = 0
    for (const octet of counter) value = value * 256 + octet
    if (value <= sender.received) return false
    sender.received = value
    return true
  }
}

/** Length and type in front of the fields of the encapsulation, for so many octets behind them. */
function headed(fields: Uint8Array, sealedBytes: number): Uint8Array {
  const short = 2 + fields.length + sealedBytes
  if (short <= LONGEST_SHORT) return Uint8Array.of(short, PacketType.protection, ...fields)
  const long = short + 2
  return Uint8Array.of(LONG_LENGTH, long >> 8, long & 0xff, PacketType.protection, ...fields)
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(COUNTER_BYTES)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
