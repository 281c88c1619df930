/**
 * The virtual connection of one client of MQTT-SN 2.0, wherever it is: CONNECT, keep-alive, sleep, and one request at a
 * time in either direction.
 */
import type { AuthenticationOutcome, CloseReason, ConnectOutcome, Delivery, Link, PublishOutcome, SubscribeOutcome } from '#sdk'
import { isFailure, type Packet, type PacketOf, Reason, SOME_REMAIN } from '../codec/v2/index.ts'
import { Kept } from '../kept.ts'
import { isLoss, type Occupant, type Place } from '../place.ts'
import type { Shared } from '../shared.ts'
import { Authenticating } from './authenticating.ts'
import { connackOf, disconnectOf, expiryOf, faultOf, goodbyeReason, refusalReason, requestOf } from './connect.ts'
import { Downlink, type Receiver } from './downlink.ts'
import { type Path, wrap } from './path.ts'
import type { Cover } from './protection.ts'
import { Uplink } from './uplink.ts'

/** The only timer of a client: the earlier of supervision and repetition. */
const TIMER = 1
const SECOND_MS = 1000
const ANY_SIZE = 65_535 // more than any datagram has

/** What a client asks for and waits for the answer of; it may have one of them open. */
const REQUESTS: ReadonlySet<Packet['type']> = new Set([
  'publish',
  'register',
  'subscribe',
  'unsubscribe',
  'pingreq',
  'sleepreq',
  'auth',
])
/** What a client may say that is not active; answers may have been on their way for long. */
const NOT_ACTIVE: ReadonlySet<Packet['type']> = new Set([
  'pingreq',
  'disconnect',
  'sleepreq',
  'puback',
  'pubrec',
  'pubcomp',
  'regack',
])

export class Connection implements Occupant, Receiver {
  clientId = ''
  state: 'connecting' | 'active' | 'asleep' | 'awake' = 'connecting'
  place: Place
  readonly link: Link
  readonly #shared: Shared
  #path: Path
  #connect: PacketOf<'connect'> | undefined = undefined
  #uplink: Uplink | undefined = undefined
  #downlink: Downlink | undefined = undefined
  maxPacketBytes = ANY_SIZE
  #silenceMs = 0
  #sleepMs = 0
  #lostAt = 0
  #armedAt = 0
  #expiryMs = 0
  /** Packet id of the client's open request; 0 is none. */
  #request = 0
  #authenticating: Authenticating | undefined = undefined
  #awakeLeft = 0 // messages that it may still get before it sleeps again
  #hinted = false
  #sendWill = false
  #gone = false

  constructor(shared: Shared, link: Link, place: Place, path: Path) {
    this.#shared = shared
    this.link = link
    this.place = place
    this.#path = path
  }

  get isMobile(): boolean {
    return this.#connect?.allowAddressChange === true
  }

  /** A session that is protected stays so, by the same key. */
  admits(cover: Cover | undefined): boolean {
    return this.#path.cover === undefined || this.#path.cover.sender === cover?.sender
  }

  /** It is heard from elsewhere. */
  moved(place: Place, forwarded: Uint8Array | undefined): void {
    this.place = place
    this.#path = { ...this.#path, forwarded }
  }

  send(packet: Packet): void {
    this.link.send(wrap(this.#shared, this.link, this.#path, packet))
  }

  // ---- CONNECT -------------------------------------------------------------------------------------------------

  connect(connect: PacketOf<'connect'>): void {
    if (this.link.connecting) {
      this.link.count('unexpected-message')
      return
    }
    const fault = faultOf(connect, this.#shared)
    if (fault !== undefined) {
      this.#refuse(connect, fault)
      return
    }
    this.#connect = { ...connect, will: undefined, auth: undefined }
    this.#downlink = undefined
    this.#uplink = undefined
    this.#request = 0
    this.state = 'connecting'
    const request = requestOf(connect, this.#shared)
    // A longer one than the operator wants is shortened where the client has agreed to be told.
    this.#expiryMs = connect.allowServerValues ? Math.min(request.expiryMs, this.#shared.config.sessionExpiry) : request.expiryMs
    this.#authenticating =
      request.authentication === undefined ? undefined : new Authenticating(this.link, request, connect, this)
    this.#lostAt = this.link.now() + request.keepAliveMs
    this.#schedule()
    this.link.release()
    this.link.connect({ ...request, expiryMs: this.#expiryMs })
  }

  onChallenge(data: Uint8Array | undefined): void {
    this.#authenticating?.challenge(data)
  }

  onAuthenticated(outcome: AuthenticationOutcome): void {
    if (this.#authenticating?.judged(outcome) === false && !outcome.ok) this.#violated(refusalReason(outcome.reason))
  }

  onConnect(outcome: ConnectOutcome): void {
    const connect = this.#connect
    if (connect === undefined) return
    if (!outcome.ok) {
      this.#refuse(connect, refusalReason(outcome.reason))
      return
    }
    const kept = Kept.of(this.link)
    const sender = this.#path.cover?.sender.name
    if (kept.sender !== undefined && kept.sender !== sender) {
      this.link.setWill(undefined)
      this.#refuse(connect, Reason.protectionOnly)
      return
    }
    kept.protect(this.link, sender)
    this.clientId = outcome.clientId
    this.#shared.connections.set(this.clientId, this)
    this.maxPacketBytes = Math.min(connect.maxPacketSize || ANY_SIZE, this.#shared.config.maxDatagram)
    this.#silenceMs = connect.keepAlive * SECOND_MS * this.#shared.config.keepAliveFactor
    const isShortened = this.#expiryMs !== expiryOf(connect.sessionExpiry)
    this.send(
      connackOf(connect.packetId, Reason.success, {
        sessionPresent: outcome.sessionPresent,
        sessionExpiry: isShortened ? this.#expiryMs / SECOND_MS : undefined,
        auth: this.#lastWord(outcome.authenticationData),
        clientId: outcome.assigned ? outcome.clientId : '',
      }),
    )
    this.#authenticating?.accepted()
    this.state = 'active'
    this.#touch()
  }

  #lastWord(data: Uint8Array | undefined): PacketOf<'connack'>['auth'] {
    return data === undefined ? undefined : { method: this.#authenticating?.method ?? '', data }
  }

  #refuse({ packetId }: PacketOf<'connect'>, reason: number): void {
    this.link.count('connect-refused')
    this.send(connackOf(packetId, reason))
    this.place.end(this, 'not-authorized')
  }

  // ---- packets -------------------------------------------------------------------------------------------------

  receive(packet: Packet): void {
    if (this.state === 'connecting') {
      const isAnswer = packet.type === 'auth' && this.#authenticating?.onAuth(packet) === true
      if (!isAnswer) this.link.count('unexpected-message')
      return
    }
    this.#touch()
    if (this.state !== 'active' && !NOT_ACTIVE.has(packet.type)) {
      this.#violated(Reason.protocolError)
      return
    }
    if (this.#exceeds(packet)) {
      this.#violated(Reason.receiveMaximumExceeded)
      return
    }
    this.#handle(packet)
    this.#settle()
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case 'publish':
        this.link.hold() // what the client gets of it as a subscriber comes after the acknowledgement
        this.#up.publish(packet)
        this.link.release()
        if (packet.qos === 2 && this.#up.isOpen(packet.packetId)) this.#request = packet.packetId
        return
      case 'pubrel':
        if (packet.packetId === this.#request) this.#request = 0
        return this.#up.release(packet.packetId)
      case 'register':
        return this.#up.register(packet)
      case 'subscribe':
        return this.#up.subscribe(packet)
      case 'unsubscribe':
        return this.#up.unsubscribe(packet)
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
      case 'regack':
        return this.#down.receive(packet)
      case 'pingreq':
        return this.#onPingreq(packet.packetId)
      case 'sleepreq':
        return this.#onSleepreq(packet)
      case 'disconnect':
        return this.#onDisconnect(packet)
      case 'auth':
        if (this.#authenticating?.onAuth(packet) !== true) this.#violated(Reason.badAuthenticationMethod)
        return
      default:
        this.link.count('unexpected-message')
    }
  }

  /** Another request while one is open: flow control. */
  #exceeds(packet: Packet): boolean {
    if (this.#request === 0 || !REQUESTS.has(packet.type) || !('packetId' in packet)) return false
    return packet.packetId !== 0 && packet.packetId !== this.#request
  }

  #violated(reason: number): void {
    this.link.count('protocol-violation')
    this.send(disconnectOf(reason))
    this.place.end(this, 'protocol-error')
  }

  /** Nothing is said after it. */
  #onDisconnect({ sessionExpiry, reason }: PacketOf<'disconnect'>): void {
    // What was to end with its connection cannot be kept after all.
    if ((sessionExpiry ?? 0) > 0 && this.#expiryMs === 0) return this.#violated(Reason.protocolError)
    if (sessionExpiry !== undefined) this.#expiryMs = expiryOf(sessionExpiry)
    this.#sendWill = reason === Reason.disconnectWithWill || (reason !== undefined && isFailure(reason))
    this.place.end(this, 'disconnected')
  }

  // ---- sleep ---------------------------------------------------------------------------------------------------

  #onSleepreq({ packetId, duration, retainAliases }: PacketOf<'sleepreq'>): void {
    const reason = duration === 0 ? Reason.protocolError : Reason.success
    this.send({ type: 'sleepresp', packetId, duration: undefined, reason })
    if (duration === 0) return
    if (!retainAliases) Kept.of(this.link).forgetTopics(this.link)
    this.#sleepMs = duration * SECOND_MS * this.#shared.config.sleepFactor
    this.#fallAsleep()
    this.#listen()
  }

  #fallAsleep(): void {
    this.state = 'asleep'
    this.#request = 0
    this.#uplink = undefined
    this.#hinted = false
    this.link.hold()
    this.#downlink?.pause()
    this.#touch()
  }

  /** The first message that comes meanwhile is taken, not sent: it is why the client is called. */
  #listen(): void {
    if (this.#downlink === undefined) this.link.release(1)
  }

  #onPingreq(packetId: number): void {
    if (this.state === 'active') {
      this.send({ type: 'pingresp', packetId, remaining: undefined })
      return
    }
    // While it is awake, the answer is the end of what waits for it.
    if (this.state === 'awake') return
    this.state = 'awake'
    this.#request = packetId
    this.#awakeLeft = (this.#connect?.awakeMessages || Number.POSITIVE_INFINITY) - (this.#downlink?.size ?? 0)
    this.#downlink?.resume()
    this.link.release()
  }

  #sleepOn(remaining: number): void {
    const packetId = this.#request
    this.#fallAsleep()
    this.send({ type: 'pingresp', packetId, remaining })
    if (remaining === 0) this.#listen()
  }

  /** After each event: lets go what is done with, and says so to a client that waits for the end. */
  #settle(): void {
    if (this.#gone || this.state === 'connecting') return
    if (this.#downlink?.size === 0) this.#downlink = undefined
    if (this.state === 'awake' && this.#downlink === undefined) this.#sleepOn(0)
    this.#schedule()
  }

  // ---- broker --------------------------------------------------------------------------------------------------

  onDeliver(delivery: Delivery): void {
    if (this.state === 'awake' && this.#awakeLeft-- <= 0) {
      this.#down.pause()
      this.#down.take(delivery)
      this.#sleepOn(SOME_REMAIN)
      return
    }
    if (this.state === 'asleep') this.#down.pause()
    this.#down.take(delivery)
    if (this.state === 'asleep' && !this.#hinted) {
      this.#hinted = true
      this.send({ type: 'wakeup' })
    }
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
    if (this.#lostAt <= this.link.now()) {
      this.place.end(this, this.state === 'connecting' ? 'connect-timeout' : 'keepalive-timeout')
      return
    }
    if (this.#downlink?.repeat() === false) this.place.end(this, 'unreachable')
    this.#settle()
  }

  onClose(reason: CloseReason): void {
    if (this.#gone) return
    this.#gone = true
    if (this.#shared.connections.get(this.clientId) === this) this.#shared.connections.delete(this.clientId)
    const said = this.state === 'asleep' ? undefined : goodbyeReason(reason)
    const hasWill = isLoss(reason) || reason === 'taken-over' || this.#sendWill
    this.link.disconnect(hasWill, this.#expiryMs, reason)
    if (said !== undefined) this.send(disconnectOf(said))
    this.place.left(this)
  }

  describe(): Readonly<Record<string, unknown>> {
    return {
      state: this.state,
      silenceMs: this.#silenceMs,
      sleepMs: this.state === 'active' ? 0 : this.#sleepMs,
      topicIds: this.link.clientId === undefined ? 0 : Kept.of(this.link).size,
      pending: this.#downlink?.size ?? 0,
      forwarded: this.#path.forwarded !== undefined,
      protected: this.#path.cover !== undefined,
    }
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  get #up(): Uplink {
    this.#uplink ??= new Uplink(this.#shared, this.link, this.clientId, this)
    return this.#uplink
  }

  get #down(): Downlink {
    this.#downlink ??= new Downlink(this.#shared, this.link, this)
    return this.#downlink
  }

  /** The client was heard. */
  #touch(): void {
    this.#lostAt = this.link.now() + (this.state === 'active' ? this.#silenceMs : this.#sleepMs)
    this.#schedule()
  }

  /** An armed timer that is early is left alone, and arms itself again: to be heard must cost nothing. */
  #schedule(): void {
    const dueAt = this.#downlink?.dueAt ?? 0
    const at = dueAt === 0 ? this.#lostAt : Math.min(dueAt, this.#lostAt)
    if (this.#armedAt !== 0 && this.#armedAt <= at) return
    this.#armedAt = at
    this.link.arm(TIMER, Math.max(0, at - this.link.now()))
  }
}
