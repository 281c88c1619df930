/**
 * One client, wherever it is: its states, will, keep-alive and sleep (MQTT-SN 1.2, 6.2 to 6.4, 6.11 to 6.14). It speaks
 * for an address of its own or for a node behind a forwarder; which one is its place's business.
 */
import type { CloseReason, ConnectOutcome, Delivery, Link, PublishOutcome, Session, SubscribeOutcome } from '#sdk'
import { Business } from './business.ts'
import { type Message, type Of, ReturnCode } from './codec/index.ts'
import { Downlink } from './downlink.ts'
import { connectRequest, isSame, type Joining, refusalCode } from './joining.ts'
import { forgetNap, Kept, rememberedNap, rememberNap } from './kept.ts'
import { type Luggage, leaveSession, type Place, type State, wantsGoodbye } from './place.ts'
import { mayReply } from './reply-budget.ts'
import { LOST, SeatedClient } from './seated-client.ts'
import { Uplink } from './uplink.ts'
import { changeWill, takeWill, WillDialogue } from './will-dialogue.ts'

/** Between leaving one place and arriving at another, a session lasts whatever its expiry says. */
const HANDOVER_MS = 60_000

export class ClientSession extends SeatedClient implements Session {
  state: State = 'connecting'
  #open: Business | undefined = undefined
  // Whole milliseconds: a million sleeping clients would each box a fraction.
  #silenceMs = 0
  #sleepMs = 0
  /** What the virtual client was connected with, or is to be. */
  #expiryMs = 0

  constructor(link: Link, place: Place, clientId: string, encapsulation: Uint8Array | undefined) {
    super(link, place, clientId, encapsulation)
    this.shared.clients.set(clientId, this)
  }

  // ---- connecting ----------------------------------------------------------------------------------------------

  /** CONNECT: the first, a repeated one, or one of a client that is here already. */
  connect(connect: Of<'connect'>): void {
    const open = this.#open?.joining
    if (isSame(open?.connect, connect)) {
      // Its question may have been lost; without one the broker is still deciding.
      if (open?.dialogue !== undefined) this.send(open.dialogue.question)
      return
    }
    if (this.link.connecting) return
    this.#open?.downlink?.pause()
    if (this.link.clientId !== undefined) this.link.hold()
    this.state = 'connecting'
    const dialogue = connect.will ? new WillDialogue() : undefined
    const joining = { connect, dialogue, luggage: undefined, will: undefined }
    this.#business.joining = joining
    if (dialogue === undefined) this.#join(joining)
    else this.#ask(dialogue)
  }

  /** A known client has turned up at this place with no more than its name. */
  arrive(luggage: Luggage): void {
    this.#business.joining = { connect: undefined, dialogue: undefined, luggage, will: undefined }
    this.#expiryMs = luggage.expiryMs
    this.#attach(false)
  }

  /** It slept when the gateway was stopped: only the broker may know it. */
  awaken(): void {
    this.#business.joining = { connect: undefined, dialogue: undefined, luggage: undefined, will: undefined }
    this.#expiryMs = this.shared.config.sessionExpiry
    this.#attach(false, true)
  }

  /** Lets the session go on at another place. */
  handOver(): Luggage {
    const { state } = this
    const luggage: Luggage = {
      state: state === 'asleep' || state === 'awake' ? state : 'active',
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
    this.supervise(0)
    this.repeatAt(this.link.now() + this.shared.config.retry.interval)
  }

  #onWill(message: Of<'willtopic'> | Of<'willmsg'>): void {
    const joining = this.#open?.joining
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
    this.#business.joining = joining
    this.repeatAt(undefined)
    const clean = joining.connect?.cleanSession === true
    this.#expiryMs = clean ? 0 : this.shared.config.sessionExpiry
    if (this.link.clientId === undefined) this.#attach(clean)
    else if (clean) {
      this.#business.downlink = undefined
      this.link.disconnect(false, 0)
      this.#attach(true)
    } else {
      this.#welcome(joining, false)
    }
  }

  #attach(cleanStart: boolean, resumeOnly = false): void {
    this.link.release()
    const keepAliveMs = (this.#open?.joining?.connect?.duration ?? 0) * 1000
    const { window } = this.shared.config
    const terms = { cleanStart, expiryMs: this.#expiryMs, keepAliveMs, window, resumeOnly }
    this.link.connect(connectRequest(this.clientId, terms))
  }

  onConnect(outcome: ConnectOutcome): void {
    const joining = this.#open?.joining
    if (joining === undefined) return
    if (joining.connect === undefined && joining.luggage === undefined) this.#goOn(outcome.ok)
    else if (outcome.ok) this.#welcome(joining, true)
    else this.#refuse(refusalCode(outcome.reason))
  }

  /** Nobody sleeps under this name: the client is a stranger. */
  #goOn(isKnown: boolean): void {
    const nap = isKnown ? rememberedNap(this.link) : undefined
    if (nap !== undefined) {
      const luggage = { ...nap, state: 'asleep', expiryMs: this.#expiryMs } as const
      this.#welcome({ connect: undefined, dialogue: undefined, luggage, will: undefined }, true)
      return
    }
    this.link.count('unknown-sender')
    if (mayReply(this.shared, this.link)) this.send({ type: 'disconnect', duration: undefined })
    this.place.end(this, 'not-authorized')
  }

  #welcome({ connect, luggage, will }: Joining, isNew: boolean): void {
    const business = this.#business
    business.joining = undefined
    business.uplink = undefined
    if (isNew) Kept.of(this.link).forgetAnnouncement()
    takeWill(this.link, will)
    if (luggage !== undefined) {
      this.#silenceMs = luggage.silenceMs
      this.#sleepMs = luggage.sleepMs
      business.arriving = true
      this.repeatAt(this.link.now())
      this.#wake(luggage.state === 'active' ? 'active' : 'awake', isNew)
      return
    }
    const { keepAliveFactor, idleTimeout, registerAgain } = this.shared.config
    if (registerAgain) Kept.of(this.link).forgetAll()
    const keepAliveMs = (connect?.duration ?? 0) * 1000
    this.#silenceMs = keepAliveMs > 0 ? Math.ceil(keepAliveMs * keepAliveFactor) : idleTimeout
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
        this.#onPublish(message)
        break
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
        this.#announceWill()
        break
      case 'pingresp':
        break
      default:
        // A gateway's message, or an answer to a question that was not asked.
        this.link.count('unexpected-message')
    }
    this.#settle()
  }

  /** Its acknowledgement goes out before what the client gets of it as a subscriber: many wait for nothing else. */
  #onPublish(message: Of<'publish'>): void {
    const waits = message.qos > 0 && this.state !== 'asleep'
    if (waits) this.link.hold()
    this.#up.receive(message)
    if (waits) this.link.release()
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
    this.#sleepMs = Math.ceil(duration * 1000 * this.shared.config.sleepFactor)
    rememberNap(this.link, { silenceMs: this.#silenceMs, sleepMs: this.#sleepMs })
    this.#fallAsleep()
    this.send({ type: 'disconnect', duration: undefined })
  }

  #fallAsleep(): void {
    this.state = 'asleep'
    this.link.hold()
    this.#open?.downlink?.pause()
    if (this.#open !== undefined) this.#open.uplink = undefined
    this.#announceWill()
    this.#touch()
  }

  /** Everything that waits may go; a client that is only awake falls asleep again when it has. */
  #wake(state: 'active' | 'awake', isNew = false): void {
    this.state = state
    this.#announceWill()
    if (state === 'active') forgetNap(this.link)
    this.#touch()
    this.#open?.downlink?.resume()
    // The broker itself begins deliveries to a client that it has just admitted.
    if (!isNew) this.link.release()
    this.#settle()
  }

  /** After each event: lets go what is done with, and says so to a client that waits for the end. */
  #settle(): void {
    if (this.state === 'gone' || this.state === 'connecting') return
    const business = this.#open
    if (business?.downlink?.idle === true) business.downlink = undefined
    if (this.state === 'awake' && business?.downlink === undefined && business?.arriving !== true) {
      this.#fallAsleep()
      this.send({ type: 'pingresp' })
    }
    if (business === undefined) return
    if (!business.arriving) this.repeatAt(business.downlink?.dueAt)
    if (business.isDone) this.#open = undefined
  }

  // ---- broker --------------------------------------------------------------------------------------------------

  onDeliver(delivery: Delivery): void {
    const down = this.#down
    down.take(delivery)
    const { dueAt } = down
    if (dueAt === undefined) return
    this.#business.arriving = false
    this.repeatAt(dueAt)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    this.#up.onPublished(tag, outcome)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.#up.onSubscribed(tag, outcome)
  }

  // ---- time and end --------------------------------------------------------------------------------------------

  onTimer(timer: number): void {
    const isConnecting = this.state === 'connecting'
    if (timer === LOST && !isConnecting) this.place.end(this, 'keepalive-timeout')
    else if (timer !== LOST && isConnecting) this.#askAgain()
    else if (timer !== LOST) this.#repeat()
  }

  #repeat(): void {
    const business = this.#business
    business.arriving = false
    if (business.downlink?.repeat() === false) {
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
    const dialogue = this.#open?.joining?.dialogue
    if (dialogue === undefined) return
    if (dialogue.attempts >= this.shared.config.retry.attempts) {
      this.place.end(this, 'connect-timeout')
      return
    }
    dialogue.attempts++
    this.link.count('retransmitted')
    this.#ask(dialogue)
  }

  onClose(reason: CloseReason): void {
    if (this.state === 'gone') return
    const isAsleep = this.state === 'asleep'
    this.#depart()
    leaveSession(this.link, reason, isAsleep, this.#expiryMs)
    if (!isAsleep && wantsGoodbye(reason)) this.send({ type: 'disconnect', duration: undefined })
    this.place.left(this)
  }

  describe(): Readonly<Record<string, unknown>> {
    const attached = this.link.clientId !== undefined
    return {
      state: this.state,
      silenceMs: this.#silenceMs,
      sleepMs: this.state === 'active' ? 0 : this.#sleepMs,
      topicIds: attached ? Kept.of(this.link).size : 0,
      pending: this.#open?.downlink?.size ?? 0,
      forwarded: this.isForwarded,
    }
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  get #business(): Business {
    this.#open ??= new Business()
    return this.#open
  }

  get #up(): Uplink {
    const business = this.#business
    business.uplink ??= new Uplink(this.shared, this.link, this.clientId, this)
    return business.uplink
  }

  get #down(): Downlink {
    const business = this.#business
    business.downlink ??= new Downlink(this.shared, this.link, this.clientId, this)
    return business.downlink
  }

  #announceWill(): void {
    Kept.of(this.link).announceWill(this.link, Math.max(1, this.state === 'active' ? this.#silenceMs : this.#sleepMs))
  }

  /** The client was heard. */
  #touch(): void {
    if (this.state === 'connecting') return
    this.supervise(this.state === 'active' ? this.#silenceMs : this.#sleepMs)
  }

  #depart(): void {
    this.state = 'gone'
    this.#open = undefined
    // Somebody else may speak from here next, on the same link.
    this.supervise(0)
    this.repeatAt(undefined)
    if (this.shared.clients.get(this.clientId) === this) this.shared.clients.delete(this.clientId)
  }
}
