/**
 * One terminal that delivers the files of an alarm (T/JSATL 12 4.4 to 4.6): it names them (0x1210), begins one (0x1211), sends its
 * data in packets, ends it (0x1212), and is told what is missing (0x9212). It comes on a connection of its own, beside the one that
 * it reports on, and is a client of its own: `{phone}/files`. Pure: what happens on the wire and in time comes in as events.
 */
import {
  type CloseReason,
  type ConnectOutcome,
  deviceTopic,
  isAccepted,
  isMalformed,
  type Link,
  type Malformed,
  Message as Publication,
  type PublishOutcome,
  type SaveOutcome,
  type Session,
} from '#sdk'
import { AttachmentFramer, type AttachmentSink, type Packet } from './codec/attachment-framer.ts'
import { shown } from './codec/bodies/text.ts'
import { toBase64 } from './codec/declare/field.ts'
import { decode, type Header, type Message, type Of, Result } from './codec/index.ts'
import { savedData } from './media.ts'
import { ReceivedFile } from './received-files.ts'
import { refuse } from './reports.ts'
import { deviceOf, type Shared } from './shared.ts'
import { Speaker } from './speaker.ts'
import { type Data, envelope, eventData } from './topics.ts'

const SILENCE = 1

/** One octet counts the ranges of 0x9212. */
const MAX_RANGES = 255
/** One octet counts the files of 0x1210. */
const MAX_FILES = 255

const KINDS = ['image', 'audio', 'video', 'text']

const encoder = new TextEncoder()

/** A file that is complete, on its way to the broker. */
interface Delivery {
  readonly file: ReceivedFile
  /** Of 0x1212, which waits for its answer. */
  readonly header: Header
}

export class AttachmentSession implements Session, AttachmentSink {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  readonly #framer = new AttachmentFramer()
  #faults = 0
  #closed = false
  /** The last list of files: who sends them, and for which alarm. Kept while its connect is pending. */
  #list: Of<'attachment-list'> | undefined = undefined
  #online = false
  /** Files that have begun. */
  readonly #files = new Map<string, ReceivedFile>()
  /** Names of files that have been delivered: their end may be repeated. */
  readonly #delivered = new Set<string>()
  readonly #deliveries = new Map<number, Delivery>()
  #tag = 0

  constructor(shared: Shared, link: Link) {
    this.#shared = shared
    this.#link = link
    this.#speaker = new Speaker(link)
    link.arm(SILENCE, shared.config.auth.timeout)
  }

  onBytes(bytes: Uint8Array): void {
    this.#framer.push(bytes, this)
    // A datagram holds whole units.
    if (this.#link.peer.datagram && !this.#link.connecting) this.#framer.reset()
  }

  frame(bytes: Uint8Array): boolean | undefined {
    if (this.#closed) return false
    const message = decode(bytes, this.#shared.config.frame.length)
    if (isMalformed(message)) this.malformed(message)
    else this.#receive(message)
    return this.#closed || this.#link.connecting ? false : undefined
  }

  malformed(error: Malformed): void {
    this.#link.malformed(error)
    if (this.#link.peer.datagram) return
    this.#faults += 1
    if (error.fatal || this.#faults >= this.#shared.config.frame.maxFaults) this.#link.close('protocol-error')
  }

  packet({ name, offset, data }: Packet): void {
    const file = this.#files.get(shown(name))
    if (!this.#online || file === undefined) {
      this.#link.count('stray-packet')
      return
    }
    this.#faults = 0
    this.#link.arm(SILENCE, this.#shared.config.idleTimeout)
    const kept = file.add(offset, data)
    if (kept === 'outside') this.#link.malformed({ malformed: 'packet-outside-file', offset: 0, fatal: false })
    else if (kept === 'no-memory') this.#link.count('no-memory')
  }

  #receive(message: Message): void {
    const { phone } = message.header
    if (this.#list !== undefined && phone !== this.#list.header.phone) {
      this.#link.count('foreign-phone')
      return
    }
    if (!this.#online) {
      if (message.type === 'attachment-list') this.#connect(message)
      else this.#link.count('unauthenticated')
      return
    }
    this.#faults = 0
    this.#link.arm(SILENCE, this.#shared.config.idleTimeout)
    switch (message.type) {
      case 'attachment-list':
        this.#announce(message)
        break
      case 'file-begin':
        this.#begin(message)
        break
      case 'file-end':
        this.#end(message)
        break
      case 'heartbeat':
        this.#speaker.respond(message.header, Result.ok)
        break
      case 'opaque':
        refuse(message, this.#link, this.#speaker)
        break
      default:
        this.#link.count('unexpected-message')
        this.#speaker.respond(message.header, Result.unsupported)
    }
  }

  #connect(list: Of<'attachment-list'>): void {
    this.#list = list
    const { phone } = list.header
    this.#link.connect({
      clientId: `${deviceOf(this.#shared, phone)}/files`,
      protocol: 'jt808',
      username: phone,
      password: encoder.encode(shown(list.body.alarm_number)),
      cleanStart: true,
      expiryMs: 0,
      keepAliveMs: this.#shared.config.idleTimeout,
    })
  }

  onConnect(outcome: ConnectOutcome): void {
    const list = this.#list
    if (list === undefined) return
    if (!outcome.ok) {
      this.#list = undefined
      this.#speaker.respond(list.header, Result.failed)
      return
    }
    this.#online = true
    this.#link.arm(SILENCE, this.#shared.config.idleTimeout)
    this.#announce(list)
  }

  #announce(list: Of<'attachment-list'>): void {
    this.#list = list
    this.#publish('attachment-list', eventData(list), list)
    this.#speaker.respond(list.header, Result.ok)
  }

  #begin({ header, body }: Of<'file-begin'>): void {
    const name = shown(body.name)
    if (body.size > this.#shared.config.attachments.maxFileBytes || this.#files.size >= MAX_FILES) {
      this.#link.count('file-refused')
      this.#speaker.respond(header, Result.failed)
      return
    }
    const known = this.#files.get(name)
    if (known?.size !== body.size) {
      known?.drop()
      this.#delivered.delete(name)
      this.#files.set(name, new ReceivedFile(name, body.type, body.size, this.#shared.collecting))
    }
    this.#speaker.respond(header, Result.ok)
  }

  #end(message: Of<'file-end'>): void {
    const { header } = message
    const name = shown(message.body.name)
    const file = this.#files.get(name)
    if (file === undefined) {
      if (this.#delivered.has(name)) this.#answer(header, name, message.body.type, [])
      else this.#speaker.respond(header, Result.failed)
      return
    }
    // A repeated end, while the first one waits for the disk or the broker.
    for (const delivery of this.#deliveries.values()) if (delivery.file === file) return
    const missing = file.missing(MAX_RANGES)
    if (missing.length > 0) {
      this.#link.count('parts-asked-for', missing.length)
      this.#answer(header, name, file.type, missing)
      return
    }
    this.#deliver(file, header)
  }

  /** All of it has come: to an event, or to a file that the event names. */
  #deliver(file: ReceivedFile, header: Header): void {
    const bytes = file.bytes()
    const { files, maxMediaBytes } = this.#shared.config
    const tag = ++this.#tag
    this.#deliveries.set(tag, { file, header })
    if (files.enabled && bytes.length > maxMediaBytes) {
      const alarm = shown(this.#list?.body.alarm_number ?? '')
      this.#link.save([header.phone, alarm, file.name], bytes, tag)
      return
    }
    this.#conclude(tag, bytes.length > maxMediaBytes ? {} : { bytes: toBase64(bytes) })
  }

  onSaved(tag: number, outcome: SaveOutcome): void {
    const delivery = this.#deliveries.get(tag)
    if (delivery === undefined) return
    if (outcome.ok) this.#conclude(tag, savedData(outcome))
    else {
      this.#publish('attachment', this.#describeFile(delivery.file, savedData(outcome)))
      this.#settle(tag, delivery, false)
    }
  }

  #conclude(tag: number, more: Data): void {
    const delivery = this.#deliveries.get(tag)
    if (delivery === undefined) return
    if (!this.#publish('attachment', this.#describeFile(delivery.file, more), undefined, tag)) this.#settle(tag, delivery, true)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    const delivery = this.#deliveries.get(tag)
    if (delivery !== undefined) this.#settle(tag, delivery, isAccepted(outcome))
  }

  #settle(tag: number, { file, header }: Delivery, accepted: boolean): void {
    this.#deliveries.delete(tag)
    if (!accepted) {
      this.#speaker.respond(header, Result.failed)
      return
    }
    file.drop()
    this.#files.delete(file.name)
    if (this.#delivered.size < MAX_FILES) this.#delivered.add(file.name)
    this.#answer(header, file.name, file.type, [])
  }

  /** 0x9212: 0 nothing is missing, 1 these ranges are. */
  #answer(to: Header, name: string, type: number, ranges: readonly { offset: number; length: number }[]): void {
    const result = ranges.length === 0 ? Result.ok : Result.failed
    this.#speaker.send(to, { type: 'file-response', body: { name, type, result, ranges } })
  }

  #describeFile({ name, type, size }: ReceivedFile, more: Data): Data {
    const { alarm_number, alarm_identifier } = eventData(this.#list as Of<'attachment-list'>)
    return { name, kind: KINDS[type] ?? type, size, alarm_number, alarm_identifier, ...more }
  }

  /** On the terminal's own topic. False when nobody would see it. */
  #publish(type: string, data: Data, message?: Message, tag?: number): boolean {
    const device = deviceOf(this.#shared, this.#list?.header.phone ?? '')
    const topic = deviceTopic(device, 'up/event')
    if (!this.#link.wanted(topic)) return false
    const { native } = this.#shared.config
    const origin = { device, gateway: this.#link.gateway, ts: this.#link.now(), native }
    this.#link.publish(new Publication(topic, envelope(origin, type, data, message), 1), tag)
    return true
  }

  onDeliver(): void {}

  onTimer(): void {
    this.#link.close(this.#online ? 'idle' : 'connect-timeout')
  }

  onClose(_reason: CloseReason): void {
    this.#closed = true
    for (const file of this.#files.values()) {
      this.#link.count('attachment-given-up')
      if (this.#online) this.#publish('attachment', this.#describeFile(file, { file_error: 'incomplete' }))
      file.drop()
    }
    this.#files.clear()
  }

  describe(): Data {
    return { phone: this.#list?.header.phone, unfinishedFiles: this.#files.size }
  }
}
