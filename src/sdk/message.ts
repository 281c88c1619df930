/**
 * One application message on its way through the broker. Topic and payload never change after publish, so every
 * receiver, queue and tap may share the one object. The payload may be a view into the chunk it arrived in:
 * whoever keeps the message for long keeps `kept()` instead.
 */

export type QoS = 0 | 1 | 2

/** MQTT 5 application properties that travel with a message; every protocol maps what it can. */
export interface Properties {
  /** True when the payload is UTF-8 text (payload format indicator). */
  readonly utf8?: boolean
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  /** In the order the publisher gave them; names may repeat. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[]
}

/** A wire image of a message in one protocol's encoding. `key` is owned by the gateway that made it. */
export interface WireForm {
  readonly key: object
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Message expiry is "never". */
export const NEVER = 0

export class Message {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: Properties | undefined
  /** Milliseconds since the epoch after which the message is not delivered any more; 0 is never. */
  expiresAt = NEVER
  /** The session that published it, set by the broker; compared by identity only (no-local, self-tests). */
  publisher: object | undefined = undefined

  #bytes: Uint8Array
  #start: number
  #end: number
  #payload: Uint8Array | undefined
  #kept: Message | undefined = undefined

  #formKey: object | undefined = undefined
  #formBytes: Uint8Array | undefined = undefined
  #formStart = 0
  #formEnd = 0
  #moreForms: Map<object, WireForm> | undefined = undefined

  constructor(topic: string, payload: Uint8Array, qos: QoS = 0, retain = false, properties?: Properties) {
    this.topic = topic
    this.qos = qos
    this.retain = retain
    this.properties = properties
    this.#bytes = payload
    this.#start = 0
    this.#end = payload.length
    this.#payload = payload
  }

  /** A message whose payload is `bytes[start, end)`; the view is made only when somebody asks for it. */
  static view(
    topic: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    qos: QoS,
    retain: boolean,
    properties?: Properties,
  ): Message {
    const message = new Message(topic, bytes, qos, retain, properties)
    message.#start = start
    message.#end = end
    message.#payload = undefined
    return message
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#bytes.subarray(this.#start, this.#end)
    return this.#payload
  }

  get size(): number {
    return this.#end - this.#start
  }

  /**
   * This message for keeping: a copy whose payload stands alone, so that a queued message does not keep alive the
   * chunk it arrived in; itself when the payload already fills its buffer. One copy serves every queue.
   */
  kept(): Message {
    if (this.#bytes.buffer.byteLength <= 2 * this.size + 64) return this
    if (this.#kept !== undefined) return this.#kept
    const payload = new Uint8Array(this.size)
    payload.set(this.payload)
    const kept = new Message(this.topic, payload, this.qos, this.retain, this.properties)
    kept.expiresAt = this.expiresAt
    kept.publisher = this.publisher
    this.#kept = kept
    return kept
  }

  /** The same message under another topic (mountpoints, delayed and rewritten topics). */
  withTopic(topic: string): Message {
    return this.#copy(topic, this.qos, this.retain)
  }

  /** The same message with another QoS or retain flag. */
  with(qos: QoS, retain: boolean): Message {
    return this.#copy(this.topic, qos, retain)
  }

  #copy(topic: string, qos: QoS, retain: boolean): Message {
    const copy = Message.view(topic, this.#bytes, this.#start, this.#end, qos, retain, this.properties)
    copy.expiresAt = this.expiresAt
    copy.publisher = this.publisher
    return copy
  }

  /** Remembers a wire image, so that many receivers of one encoding share it. */
  setForm(key: object, bytes: Uint8Array, start: number, end: number): void {
    if (this.#formKey === undefined || this.#formKey === key) {
      this.#formKey = key
      this.#formBytes = bytes
      this.#formStart = start
      this.#formEnd = end
      return
    }
    this.#moreForms ??= new Map()
    this.#moreForms.set(key, { key, bytes, start, end })
  }

  /** Hands the wire image of `key` to `sink.send`; false when there is none. Allocates nothing. */
  sendForm(key: object, sink: { send(bytes: Uint8Array, start: number, end: number): void }): boolean {
    if (this.#formKey === key) {
      sink.send(this.#formBytes as Uint8Array, this.#formStart, this.#formEnd)
      return true
    }
    const form = this.#moreForms?.get(key)
    if (form === undefined) return false
    sink.send(form.bytes, form.start, form.end)
    return true
  }
}
