/**
 * A message that is kept for long, as small as it can be: a million retained ones are what the garbage collector has to walk. A
 * payload that is not large is a string of one character for each octet: one object, where bytes are three.
 */
import type { Properties, QoS } from '../sdk.ts'
import { Message } from '../sdk.ts'

/** Larger payloads stay bytes: copying them back would cost more than they save. */
const TEXT_BYTES = 1024

export class MessageAtRest {
  readonly topic: string
  /** Milliseconds since the epoch; 0 is never. */
  readonly expiresAt: number
  readonly #payload: string | Uint8Array
  readonly #qos: QoS
  readonly #properties: Properties | undefined

  constructor(message: Message) {
    const { topic, payload, qos, properties, expiresAt } = message
    this.topic = topic
    this.expiresAt = expiresAt
    this.#payload =
      payload.length <= TEXT_BYTES
        ? Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1')
        : message.kept().payload
    this.#qos = qos
    this.#properties = properties
  }

  /** Octets of the payload. */
  get size(): number {
    return this.#payload.length
  }

  /** As retained messages are sent, to whoever asks: nobody published it just now. */
  retained(): Message {
    const payload = typeof this.#payload === 'string' ? Buffer.from(this.#payload, 'latin1') : this.#payload
    const message = new Message(this.topic, payload, this.#qos, true, this.#properties)
    message.expiresAt = this.expiresAt
    return message
  }
}
