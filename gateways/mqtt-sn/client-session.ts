/**
 * One client, wherever it is: its states, will, keep-alive and sleep (MQTT-SN 1.2, 6.2 to 6.4, 6.11 to 6.14). It speaks
 * for an address of its own or for a node behind a forwarder; which one is its place's business.
 */
import type { CloseReason, ConnectOutcome, Delivery, Link, PublishOutcome, Session, SubscribeOutcome } from '#sdk'
import { encode, type Message, type Of, ReturnCode } from './codec/index.ts'
import { Downlink } from './downlink.ts'
import { connectRequest, isSame, type Joining, refusalCode } from './joining.ts'
import { Kept } from './kept.ts'
import { isLoss, type Luggage, type Place, type State, wantsGoodbye } from './place.ts'
import type { Shared, Speaker } from './shared.ts'
import { Uplink } from './uplink.ts'
import { changeWill, takeWill, WillDialogue } from './will-dialogue.ts'

/** The only timer of a client: the earlier of supervision and repetition. */
const TIMER = 1
/** Between leaving one place and arriving at another, a session lasts whatever its expiry says. */
const HANDOVER_MS = 60_000

export class ClientSession implements Session, Speaker {
  readonly clientId: string
  readonly link: Link
  place: Place
  state: State = 'connecting'
  readonly #shared: Shared
  #encapsulation: Uint8Array | undefined
  #joining: Joining | undefined = undefined
  #uplink: Uplink | undefined = undefined
  #downlink: Downlink | undefined = undefined
  #silenceMs = 0
  #sleepMs = 0
  /** When an unheard client is lost, ms since the epoch; 0 is never. */
  #lostAt = 0
  #repeatAt = 0
  #armedAt = 0
  /** What the virtual client was connected with, and what CONNECT has asked for since. */
  #attachedExpiryMs = 0
  #expiryMs = 0
  #gone = false
  /** At a new place the broker brings what is open only after the welcome. */
  #arriving = false

  /** `encapsulation`: what goes in front of every message to this client; undefined without a forwarder. */
  constructor(shared: Shared, link: Link, place: Place, clientId: string, encapsulation: Uint8Array | undefined) {
    this.#shared = shared
    this.link = link
    this.place = place
    this.clientId = clientId
    this.#encapsulation = encapsulation
    shared.clients.set(clientId, this)
  }

  send(message: Message): void {
    const bytes = encode(message)
    this.link.send(this.#encapsulation === undefined ? bytes : Buffer.concat([this.#encapsulation, bytes]))
  }

  /** It has moved to `place`, link and all. */
  moved(place: Place, encapsulation: Uint8Array | undefined): void {
    this.place = place
    this.#encapsulation = encapsulation
  }

  // ---- connecting ----------------------------------------------------------------------------------------------

  /** CONNECT: the first, a repeated one, or one of a client that is here already. */
  connect(connect: Of<'connect'>): void {
    const open = this.#joining
    if (open !== undefined && isSame(open.connect, connect)) {
      // Its question may have been lost; without one the broker is still deciding.
      if (open.dialogue !== undefined) this.send(open.dialogue.question)
      return
    }
    if (this.link.connecting) return
    this.#downlink?.pause()
    if (this.link.clientId !== undefined) this.link.hold()
    this.state = 'connecting'
    const dialogue = connect.will ? new WillDialogue() : undefined
    this.#joining = { connect, dialogue, luggage: undefined, will: undefined }
    if (dialogue === undefined) this.#join(this.#joining)
    else this.#ask(dialogue)
  }

  /** A known client has turned up at this place with no more than its name. */
  arrive(luggage: Luggage): void {
    this.#joining = { connect: undefined, dialogue: undefined, luggage, will: undefined }
    this.#expiryMs = luggage.expiryMs
    this.#attach(false)
  }

  /** Lets the session go on at another place. */
  handOver(): Luggage {
    const { state } = this
    const luggage: Luggage = {
      state: state === 'connecting' ? 'active' : state,
      silenceMs: this.#silenceMs,
      sleepMs: this.#sleepMs,
      expiryMs: this.#expiryMs,
    }
    this.#depart()
    this.link.disconnect(false, Math.max(HANDOVER_MS, this.#expiryMs))
    this.place.vacate(this)
    return luggage
  }

  #ask(dialogue: WillDialogue): void {
    this.send(dialogue.question)
    this.#lostAt = 0
    this.#repeatAt = this.link.now() + this.#shared.config.retry.interval
    this.#schedule()
  }

  #onWill(message: Of<'willtopic'> | Of<'willmsg'>): void {
    const joining = this.#joining
    if (joining?.dialogue === undefined) {
      this.link.count('unexpected-message')
      return
    }
    const answer = joining.dialogue.answer(message)
    if (answer === undefined) this.#ask(joining.dialogue)
    else if (answer === 'refused') this.#refuse(ReturnCode.notSupported)
    else {
      joining.will = answer
      this.#join({ ...joining, dialogue: undefined })
    }
  }

  /** Every question is answered. */
  #join(joining: Joining): void {
    this.#joining = joining
    this.#repeatAt = 0
    const clean = joining.connect?.cleanSession === true
    this.#expiryMs = clean ? 0 : this.#shared.config.sessionExpiry
    if (this.link.clientId === undefined) this.#attach(clean)
    else if (clean) {
      this.#downlink = undefined
      this.link.disconnect(false, 0)
      this.#attach(true)
    } else {
      this.#welcome(joining, false)
    }
  }

  #attach(cleanStart: boolean): void {
    this.#attachedExpiryMs = this.#expiryMs
    this.link.release()
    const keepAliveMs = (this.#joining?.connect?.duration ?? 0) * 1000
    const { window } = this.#shared.config
    this.link.connect(connectRequest(this.clientId, { cleanStart, expiryMs: this.#expiryMs, keepAliveMs, window }))
  }

  onConnect(outcome: ConnectOutcome): void {
    const joining = this.#joining
    if (joining === undefined) return
    if (outcome.ok) this.#welcome(joining, true)
    else this.#refuse(refusalCode(outcome.reason))
  }

  #welcome({ connect, luggage, will }: Joining, isNew: boolean): void {
    this.#joining = undefined
    this.#uplink = undefined
    takeWill(this.link, will)
    if (luggage !== undefined) {
      this.#silenceMs = luggage.silenceMs
      this.#sleepMs = luggage.sleepMs
      this.#arriving = true
      this.#repeatAt = this.link.now()
      this.#wake(luggage.state === 'active' ? 'active' : 'awake', isNew)
      return
    }
    const { keepAliveFactor, idleTimeout } = this.#shared.config
    const keepAliveMs = (connect?.duration ?? 0) * 1000
    this.#silenceMs = keepAliveMs > 0 ? keepAliveMs * keepAliveFactor : idleTimeout
    this.send({ type: 'connack', returnCode: ReturnCode.accepted })
    this.#wake('active', isNew)
  }

  #refuse(returnCode: number): void {
    this.send({ type: 'connack', returnCode })
    this.link.count('connect-refused')
    this.place.end(this, 'not-authorized')
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  receive(message: Message): void {
    this.#touch()
    if (this.state === 'connecting') {
      if (message.type === 'willtopic' || message.type === 'willmsg') this.#onWill(message)
      else if (message.type === 'disconnect') this.#onDisconnect(undefined)
      else this.link.count('unexpected-message')
      return
    }
    switch (message.type) {
      case 'publish':
      case 'pubrel':
      case 'register':
      case 'subscribe':
      case 'unsubscribe':
        this.#up.receive(message)
        break
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
      case 'regack':
        this.#down.receive(message)
        break
      case 'pingreq':
        this.#onPingreq(message)
        break
      case 'disconnect':
        this.#onDisconnect(message.duration)
        break
      case 'willtopicupd':
      case 'willmsgupd':
        this.send(changeWill(this.link, message))
        break
      case 'pingresp':
        break
      default:
        // A gateway's message, or an answer to a question that was not asked.
        this.link.count('unexpected-message')
    }
    this.#settle()
  }

  // ---- sleep ---------------------------------------------------------------------------------------------------

  #onPingreq({ clientId }: Of<'pingreq'>): void {
    if (this.state === 'asleep' && clientId !== '') this.#wake('awake')
    // While it is awake, the answer is the end of what waits for it.
    else if (this.state !== 'awake') this.send({ type: 'pingresp' })
  }

  #onDisconnect(duration: number | undefined): void {
    if (duration === undefined || duration === 0) {
      this.send({ type: 'disconnect', duration: undefined })
      this.place.end(this, 'disconnected')
      return
    }
    this.#sleepMs = duration * 1000 * this.#shared.config.sleepFactor
    this.#fallAsleep()
    this.send({ type: 'disconnect', duration: undefined })
  }

  #fallAsleep(): void {
    this.state = 'asleep'
    this.link.hold()
    this.#downlink?.pause()
    this.#uplink = undefined
    this.#touch()
  }

  /** Everything that waits may go; a client that is only awake falls asleep again when it has. */
  #wake(state: 'active' | 'awake', isNew = false): void {
    this.state = state
    this.#touch()
    this.#downlink?.resume()
    // The broker itself begins deliveries to a client that it has just admitted.
    if (!isNew) this.link.release()
    this.#settle()
  }

  /** After each event: lets go what is done with, and says so to a client that waits for the end. */
  #settle(): void {
    if (this.#gone || this.state === 'connecting') return
    if (this.#downlink?.idle === true) this.#downlink = undefined
    if (this.state === 'awake' && this.#downlink === undefined && !this.#arriving) {
      this.#fallAsleep()
      this.send({ type: 'pingresp' })
    }
    if (!this.#arriving) this.#repeatAt = this.#downlink?.dueAt ?? 0
    this.#schedule()
  }

  // ---- broker --------------------------------------------------------------------------------------------------

  onDeliver(delivery: Delivery): void {
    const down = this.#down
    down.take(delivery)
    if (down.dueAt === 0) return
    this.#arriving = false
    this.#repeatAt = down.dueAt
    this.#schedule()
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    this.#up.onPublished(tag, outcome)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.#up.onSubscribed(tag, outcome)
  }

  /** Its place reads the datagrams. */
  onBytes(): void {}

  // ---- time and end --------------------------------------------------------------------------------------------

  onTimer(): void {
    this.#armedAt = 0
    const now = this.link.now()
    const isDue = this.#repeatAt !== 0 && this.#repeatAt <= now
    if (this.state === 'connecting') {
      if (isDue) this.#askAgain()
      return
    }
    if (this.#lostAt !== 0 && this.#lostAt <= now) {
      this.place.end(this, 'keepalive-timeout')
      return
    }
    this.#arriving = false
    if (isDue && this.#downlink?.repeat() === false) {
      if (this.state !== 'awake') {
        this.place.end(this, 'unreachable')
        return
      }
      // It fell asleep before its time: what it has not acknowledged waits for the next time.
      this.link.count('awake-unanswered')
      this.#fallAsleep()
    }
    this.#settle()
  }

  #askAgain(): void {
    const dialogue = this.#joining?.dialogue
    if (dialogue === undefined) return
    if (dialogue.attempts >= this.#shared.config.retry.attempts) {
      this.place.end(this, 'connect-timeout')
      return
    }
    dialogue.attempts++
    this.link.count('retransmitted')
    this.#ask(dialogue)
  }

  onClose(reason: CloseReason): void {
    if (this.#gone) return
    const heard = this.state !== 'asleep' && wantsGoodbye(reason)
    this.#depart()
    // CONNECT may have asked to keep a session that began as a clean one.
    this.link.disconnect(isLoss(reason), Math.max(this.#expiryMs, this.#attachedExpiryMs), reason)
    if (heard) this.send({ type: 'disconnect', duration: undefined })
    this.place.left(this)
  }

  describe(): Readonly<Record<string, unknown>> {
    const attached = this.link.clientId !== undefined
    return {
      state: this.state,
      silenceMs: this.#silenceMs,
      sleepMs: this.state === 'active' ? 0 : this.#sleepMs,
      topicIds: attached ? Kept.of(this.link).topics.size : 0,
      pending: this.#downlink?.size ?? 0,
      forwarded: this.#encapsulation !== undefined,
    }
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  get #up(): Uplink {
    this.#uplink ??= new Uplink(this.#shared, this.link, this.clientId, this)
    return this.#uplink
  }

  get #down(): Downlink {
    this.#downlink ??= new Downlink(this.#shared, this.link, this.clientId, this)
    return this.#downlink
  }

  /** The client was heard. */
  #touch(): void {
    if (this.state === 'connecting') return
    const patienceMs = this.state === 'active' ? this.#silenceMs : this.#sleepMs
    this.#lostAt = patienceMs === 0 ? 0 : this.link.now() + patienceMs
    this.#schedule()
  }

  /** An armed timer that is early is left alone, and arms itself again: to be heard must cost nothing. */
  #schedule(): void {
    const at = earlier(this.#lostAt, this.#repeatAt)
    if (at === 0 || (this.#armedAt !== 0 && this.#armedAt <= at)) return
    this.#armedAt = at
    this.link.arm(TIMER, Math.max(0, at - this.link.now()))
  }

  #depart(): void {
    this.#gone = true
    if (this.#shared.clients.get(this.clientId) === this) this.#shared.clients.delete(this.clientId)
  }
}

function earlier(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b)
}
