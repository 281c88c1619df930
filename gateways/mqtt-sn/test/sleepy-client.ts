/**
 * A client that does everything right on a network that does not: it subscribes, publishes, sleeps, wakes up elsewhere,
 * repeats what is not answered, and remembers what it received.
 */
import { isMalformed } from '#sdk'
import type { TestGateway, TestPeer } from '#testing'
import { decode, encode, type Message, type Of } from '../codec/index.ts'
import { connect, publish, subscribe } from './device.ts'

const RETRY_S = 3
const SLEEP_S = 40

export interface Weather {
  /** Probabilities, for each datagram in either direction. */
  loss: number
  duplication: number
  /** From 0 up to 1. */
  random(): number
}

export interface Sent {
  readonly topic: string
  readonly payload: string
  readonly qos: 1 | 2
}

/** A request that waits for its answer. */
interface Request {
  readonly message: Message
  /** In seconds. */
  dueAt: number
}

export class SleepyClient {
  readonly id: string
  /** What is still to be published, the first of it under way. */
  readonly outbox: Sent[] = []
  readonly received: Sent[] = []
  #state: 'new' | 'joining' | 'active' | 'asleep' = 'new'
  #request: Request | undefined = undefined
  #subscribed = false
  #wakeAt = 0
  #messageId = 0
  /** Of the publish under way; 0 is none. */
  #publishId = 0
  #isReleasing = false
  #registered: string | undefined = undefined
  #topicId = 0
  #peer: TestPeer
  #port: number
  readonly #gateway: TestGateway
  readonly #weather: Weather
  readonly #names = new Map<number, string>()
  readonly #open = new Set<number>()

  constructor(gateway: TestGateway, weather: Weather, id: string, port: number) {
    this.#gateway = gateway
    this.#weather = weather
    this.id = id
    this.#port = port
    this.#peer = gateway.connect({ datagram: true, port })
  }

  /** Asleep or awake, with nothing left to say. */
  get done(): boolean {
    return this.outbox.length === 0 && this.#state === 'asleep' && this.#request === undefined
  }

  /** One second of its life. */
  step(nowS: number): void {
    this.#listen(nowS)
    if (this.#request !== undefined) {
      if (this.#request.dueAt <= nowS) this.#ask(repeated(this.#request.message), nowS)
    } else if (this.#state === 'new') this.#join(nowS)
    else if (this.#state === 'active') this.#work(nowS)
    else if (this.#state === 'asleep' && this.#wakeAt <= nowS) this.#wake(nowS)
    this.#listen(nowS)
  }

  // ---- what it does --------------------------------------------------------------------------------------------

  #join(nowS: number): void {
    this.#state = 'joining'
    this.#ask(connect(this.id, { clean: false, duration: 60 }), nowS)
  }

  #work(nowS: number): void {
    const [next] = this.outbox
    if (!this.#subscribed) this.#ask(subscribe(`down/${this.id}/#`, 2, this.#nextId()), nowS)
    else if (next !== undefined && this.#registered !== next.topic)
      this.#ask({ type: 'register', topicId: 0, messageId: this.#nextId(), topic: next.topic }, nowS)
    else if (next !== undefined && this.#weather.random() < 0.7) this.#publish(next, nowS)
    else if (this.#weather.random() < 0.3) this.#ask({ type: 'disconnect', duration: SLEEP_S }, nowS)
  }

  #publish({ payload, qos }: Sent, nowS: number): void {
    const dup = this.#publishId !== 0
    // The same id until it is done, also on another connection.
    if (!dup) this.#publishId = this.#nextId()
    if (this.#isReleasing) this.#ask({ type: 'pubrel', messageId: this.#publishId }, nowS)
    else this.#ask(publish(this.#topicId, payload, { qos, messageId: this.#publishId, dup }), nowS)
  }

  #wake(nowS: number): void {
    if (this.#weather.random() < 0.4) this.#roam()
    // Work to do, or just a look whether something has come.
    if (this.outbox.length > 0 && this.#weather.random() < 0.5) this.#join(nowS)
    else this.#ask({ type: 'pingreq', clientId: this.id }, nowS)
  }

  #roam(): void {
    this.#port += 10_000
    this.#peer = this.#gateway.connect({ datagram: true, port: this.#port })
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 65_535) + 1
    return this.#messageId
  }

  // ---- what it hears -------------------------------------------------------------------------------------------

  #listen(nowS: number): void {
    for (let left = 50; left > 0; left--) {
      const heard = this.#peer.take().flatMap((bytes) => this.#pass(bytes))
      if (heard.length === 0) return
      // Asleep, its radio is off.
      for (const bytes of heard) if (this.#state !== 'asleep' || this.#request !== undefined) this.#hear(bytes, nowS)
    }
  }

  #hear(bytes: Uint8Array, nowS: number): void {
    const message = decode(bytes)
    if (isMalformed(message)) throw new Error(message.malformed)
    const asked = this.#request?.message.type
    switch (message.type) {
      case 'connack':
        if (asked === 'connect') this.#answered('active')
        break
      case 'suback':
        if (asked === 'subscribe') {
          this.#subscribed = true
          this.#answered()
        }
        break
      case 'regack':
        if (this.#request?.message.type === 'register') {
          this.#registered = this.#request.message.topic
          this.#topicId = message.topicId
          this.#answered()
        }
        break
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        this.#onPublishAnswer(message, nowS)
        break
      case 'register':
        this.#names.set(message.topicId, message.topic)
        this.#send({ type: 'regack', topicId: message.topicId, messageId: message.messageId, returnCode: 0 })
        break
      case 'publish':
        this.#onPublish(message)
        break
      case 'pubrel':
        this.#open.delete(message.messageId)
        this.#send({ type: 'pubcomp', messageId: message.messageId })
        break
      case 'pingresp':
        if (asked === 'pingreq') this.#sleep(nowS)
        break
      case 'disconnect':
        if (asked === 'disconnect') this.#sleep(nowS)
        else {
          // The gateway does not know this address, or took us for lost.
          this.#request = undefined
          this.#join(nowS)
        }
        break
    }
  }

  #onPublishAnswer({ type, messageId }: Of<'puback'> | Of<'pubrec'>, nowS: number): void {
    if (messageId !== this.#publishId || this.#request === undefined) return
    const asked = this.#request.message
    if (type === 'pubrec' && asked.type === 'publish') {
      this.#isReleasing = true
      this.#ask({ type: 'pubrel', messageId }, nowS)
    } else if ((type === 'puback' && asked.type === 'publish') || (type === 'pubcomp' && asked.type === 'pubrel')) {
      this.outbox.shift()
      this.#publishId = 0
      this.#isReleasing = false
      this.#answered()
    }
  }

  #onPublish({ qos, topicId, messageId, payload }: Of<'publish'>): void {
    const topic = this.#names.get(topicId) ?? 'unknown'
    if (!(qos === 2 && this.#open.has(messageId))) {
      this.received.push({ topic, payload: Buffer.from(payload).toString(), qos: qos as 1 | 2 })
    }
    if (qos === 2) {
      this.#open.add(messageId)
      this.#send({ type: 'pubrec', messageId })
    } else this.#send({ type: 'puback', topicId, messageId, returnCode: 0 })
  }

  #sleep(nowS: number): void {
    this.#answered('asleep')
    this.#wakeAt = nowS + 1 + Math.floor(this.#weather.random() * (SLEEP_S - 1))
  }

  #answered(state = this.#state): void {
    this.#request = undefined
    this.#state = state
  }

  // ---- the network ---------------------------------------------------------------------------------------------

  #ask(message: Message, nowS: number): void {
    this.#request = { message, dueAt: nowS + RETRY_S }
    this.#send(message)
  }

  #send(message: Message): void {
    for (const bytes of this.#pass(encode(message))) {
      if (this.#peer.wire.ended !== undefined) this.#peer = this.#gateway.connect({ datagram: true, port: this.#port })
      this.#peer.send(bytes)
    }
  }

  #pass(bytes: Uint8Array): Uint8Array[] {
    if (this.#weather.random() < this.#weather.loss) return []
    return this.#weather.random() < this.#weather.duplication ? [bytes, bytes] : [bytes]
  }
}

function repeated(message: Message): Message {
  return message.type === 'publish' ? { ...message, dup: true } : message
}
