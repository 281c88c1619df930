/**
 * One terminal on one connection or datagram address: registration, authentication, and where its messages go
 * (JT/T 808 8.1 to 8.8). Pure: what happens on the wire and in time comes in as events.
 */
import { isDecimal } from '#bytes/bcd'
import {
  type Answer,
  type CloseReason,
  type ConnectOutcome,
  type Delivery,
  deviceTopic,
  type FrameSink,
  isMalformed,
  type Link,
  type Malformed,
  type PublishOutcome,
  type SaveOutcome,
  type Session,
} from '#sdk'
import { Admission, type Decisions } from './admission.ts'
import { shown } from './codec/bodies/text.ts'
import { decode, FlagFramer, type Header, type Message, type Of, Result } from './codec/index.ts'
import { utcDigits } from './codec/time.ts'
import { CommandFlow } from './command-flow.ts'
import { emqxTopics } from './emqx.ts'
import { decrypted } from './encryption.ts'
import { Parts } from './parts.ts'
import { Reports, refuse } from './reports.ts'
import { deviceOf, type Shared } from './shared.ts'
import { Speaker } from './speaker.ts'
import { authenticatedData, type Data, registeredData } from './topics.ts'
import { isEvent } from './uplink.ts'

/** The session's timers. */
const SILENCE = 1
const DEADLINE = 2
const RETRY = 3
const PARTS = 4

/** What a terminal may send before it has authenticated: registration and authentication. */
const ADMISSION = new Set([0x0100, 0x0102])

const encoder = new TextEncoder()

/** The parts of a session that exist once the terminal has authenticated. */
interface Online {
  /** Of the authentication: how to speak to this terminal. */
  readonly header: Header
  readonly reports: Reports
  /** Made for the first command. */
  commands: CommandFlow | undefined
  /** Made for the first part of a long message. */
  parts: Parts | undefined
}

export class TerminalSession implements Session, FrameSink, Decisions {
  readonly #shared: Shared
  readonly #link: Link
  readonly #framer: FlagFramer | undefined
  readonly #speaker: Speaker
  readonly #admission: Admission
  #closed = false
  /** Broken frames in a row. */
  #faults = 0
  /** Kept until its event is published, which waits for the authentication. */
  #registration: Of<'register'> | undefined = undefined
  /** Kept while its connect is pending. */
  #authentication: Of<'authenticate'> | undefined = undefined
  #edition: string | undefined = undefined
  #online: Online | undefined = undefined

  constructor(shared: Shared, link: Link) {
    const { frame, auth } = shared.config
    this.#shared = shared
    this.#link = link
    this.#speaker = new Speaker(link)
    this.#admission = new Admission(shared, link, this.#speaker, this)
    this.#framer = link.peer.datagram ? undefined : new FlagFramer(frame.maxBytes)
    link.arm(SILENCE, auth.timeout)
  }

  // ---- bytes and frames ----------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    if (this.#framer !== undefined) this.#framer.push(bytes, this)
    else if (bytes.length > 0) this.frame(bytes)
  }

  frame(bytes: Uint8Array): boolean | undefined {
    if (this.#closed) return false
    const decoded = decode(bytes, this.#shared.config.frame.length)
    if (isMalformed(decoded)) {
      this.malformed(decoded)
    } else {
      this.#faults = 0
      const message = this.#plain(decoded)
      if (this.#online === undefined) this.#receiveEarly(message)
      else this.#receive(this.#online, message, bytes)
    }
    return this.#closed || this.#link.connecting ? false : undefined
  }

  /** Parts stay as they are: a message is decrypted when all of it is there. */
  #plain(message: Message): Message {
    const { key } = this.#shared
    if (key === undefined || message.type !== 'opaque' || message.why !== 'encrypted') return message
    return message.header.part === undefined ? decrypted(message, key) : { ...message, why: 'part' }
  }

  malformed(error: Malformed): void {
    this.#link.malformed(error)
    // Anyone can send a datagram from anywhere: it must not end a session.
    if (this.#link.peer.datagram) return
    this.#faults += 1
    if (error.fatal || this.#faults >= this.#shared.config.frame.maxFaults) this.#link.close('protocol-error')
  }

  /** Before the terminal has authenticated only two messages count (JT/T 808 8.5, 8.8). */
  #receiveEarly(message: Message): void {
    if (message.type === 'register') this.#admission.register(message)
    else if (message.type === 'authenticate') this.#admission.authenticate(message)
    else if (message.type === 'opaque' && ADMISSION.has(message.header.id)) refuse(message, this.#link, this.#speaker)
    else if (!this.#yield(message.header.phone)) this.#link.count('unauthenticated')
  }

  #receive(online: Online, message: Message, bytes: Uint8Array): void {
    if (message.header.phone !== online.header.phone) {
      this.#link.count('foreign-phone')
      if (this.#shared.config.foreignPhone === 'close') this.#link.close('protocol-error')
      return
    }
    this.#link.arm(SILENCE, this.#shared.config.idleTimeout)
    this.#dispatch(online, message, bytes)
  }

  #dispatch(online: Online, message: Message, bytes: Uint8Array): void {
    switch (message.type) {
      case 'location':
        online.reports.location(message, bytes)
        break
      case 'heartbeat':
        this.#speaker.respond(message.header, Result.ok)
        break
      case 'terminal-response':
        if (online.commands?.answered(message.body) !== true) this.#link.count('unmatched-response')
        break
      case 'opaque':
        if (message.why === 'part') this.#assemble(online, message, bytes)
        else online.reports.opaque(message, bytes)
        break
      case 'register':
        this.#admission.register(message)
        break
      case 'authenticate':
        this.#admission.authenticate(message)
        break
      case 'deregister':
        this.#deregister(online, message)
        break
      case 'location-batch':
        online.reports.batch(message, bytes)
        break
      case 'time-query':
        this.#speaker.send(message.header, { type: 'server-time', body: { time: utcDigits(this.#link.now()) } })
        break
      case 'terminal-resend':
        if (this.#speaker.resend(message.body.seq, message.body.ids) === 0) this.#link.count('unmatched-resend')
        online.reports.tell(message)
        break
      default:
        if (isEvent(message)) {
          const replied = online.commands?.replied(message) ?? false
          online.reports.event(message, bytes, replied)
          break
        }
        // A platform's message: answering it could go back and forth for ever.
        this.#link.count('unexpected-message')
    }
  }

  #assemble(online: Online, part: Of<'opaque'>, bytes: Uint8Array): void {
    online.parts ??= new Parts(this.#shared, this.#link, this.#speaker, online.header, PARTS, this.#edition)
    const whole = online.parts.take(part, bytes)
    if (whole !== undefined) this.#dispatch(online, this.#plain(whole.message), whole.body)
  }

  /** A datagram of a terminal that authenticated from another address: its session goes on at this one. */
  #yield(phone: string): boolean {
    if (!this.#link.peer.datagram || !this.#shared.config.udpRebind) return false
    const owner = this.#shared.byPhone.get(phone)
    if (owner === undefined) return false
    this.#closed = true
    this.#link.yieldTo(owner)
    return true
  }

  // ---- registration and authentication -------------------------------------------------------------------------

  registered(message: Of<'register'>): void {
    this.#registration = message
    this.#edition = message.body.edition
    if (this.#online !== undefined) this.#announceRegistration(this.#online)
  }

  authenticated(message: Of<'authenticate'>): void {
    const { header, body } = message
    if (this.#online !== undefined) {
      this.#speaker.respond(header, Result.ok)
      return
    }
    const { sessionExpiry, idleTimeout } = this.#shared.config
    if (!isDecimal(header.phone)) this.#link.count('odd-phone')
    this.#authentication = message
    this.#edition ??= header.form
    this.#link.connect({
      clientId: deviceOf(this.#shared, header.phone),
      protocol: 'jt808',
      version: this.#edition,
      username: header.phone,
      password: encoder.encode(shown(body.code)),
      cleanStart: true,
      expiryMs: sessionExpiry,
      keepAliveMs: idleTimeout,
      receiveMaximum: 1,
      trackQos0: true,
    })
  }

  onConnect(outcome: ConnectOutcome): void {
    const message = this.#authentication
    if (message === undefined) return
    this.#authentication = undefined
    const { header, body } = message
    if (!outcome.ok) {
      this.#admission.refuse(message)
      return
    }
    const online: Online = {
      header,
      reports: new Reports(this.#shared, this.#link, this.#speaker, header, this.#edition),
      commands: undefined,
      parts: undefined,
    }
    this.#online = online
    this.#admission.admitted()
    if (this.#link.peer.datagram) this.#shared.byPhone.set(header.phone, this.#link)
    this.#link.arm(SILENCE, this.#shared.config.idleTimeout)
    this.#speaker.respond(header, Result.ok)
    const { topics } = this.#shared.config
    const device = deviceOf(this.#shared, header.phone)
    if (topics.includes('unified')) this.#link.subscribe(deviceTopic(device, 'down/command'), { qos: 1, liveOnly: true })
    if (topics.includes('emqx')) this.#link.subscribe(emqxTopics(device).down, { qos: 1, liveOnly: true })
    this.#announceRegistration(online)
    online.reports.announce('authenticated', message, () => authenticatedData(body.details))
  }

  #announceRegistration(online: Online): void {
    const message = this.#registration
    if (message === undefined) return
    this.#registration = undefined
    online.reports.announce('registered', message, () => registeredData(message.body))
  }

  #deregister(online: Online, message: Of<'deregister'>): void {
    this.#shared.credentials.forget(message.header.phone, this.#link)
    online.reports.announce('deregistered', message, () => ({}))
    this.#speaker.respond(message.header, Result.ok)
    this.#link.close('disconnected')
  }

  // ---- broker, time and end ------------------------------------------------------------------------------------

  onAnswer(tag: number, answer: Answer): void {
    this.#admission.answered(tag, answer)
  }

  onSaved(tag: number, outcome: SaveOutcome): void {
    this.#online?.reports.saved(tag, outcome)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    this.#online?.reports.settle(tag, outcome)
  }

  onDeliver(delivery: Delivery): void {
    const online = this.#online
    if (online === undefined) return
    online.commands ??= new CommandFlow(this.#shared, this.#link, this.#speaker, online.header, this.#edition, {
      deadline: DEADLINE,
      retry: RETRY,
    })
    if (delivery.message.topic === emqxTopics(deviceOf(this.#shared, online.header.phone)).down)
      online.commands.takeNative(delivery)
    else online.commands.take(delivery)
  }

  onTimer(timer: number): void {
    if (timer === DEADLINE) this.#online?.commands?.expire()
    else if (timer === RETRY) this.#online?.commands?.repeat()
    else if (timer === PARTS) this.#online?.parts?.check()
    else this.#link.close(this.#online === undefined ? 'connect-timeout' : 'keepalive-timeout')
  }

  onClose(_reason: CloseReason): void {
    this.#closed = true
    const online = this.#online
    if (online === undefined) return
    const { phone } = online.header
    if (this.#shared.byPhone.get(phone) === this.#link) this.#shared.byPhone.delete(phone)
    online.commands?.close()
    online.parts?.close()
  }

  describe(): Data {
    const header = this.#online?.header
    return {
      phone: header?.phone,
      edition: this.#edition,
      headerForm: header?.form,
      protocolVersion: header?.protocol,
      unfinishedMessages: this.#online?.parts?.open ?? 0,
      pendingCommands: this.#online?.commands?.pending ?? 0,
    }
  }
}
