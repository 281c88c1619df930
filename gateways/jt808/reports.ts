/**
 * What an authenticated terminal reports: published on the unified topics, and acknowledged when the broker has accepted
 * it, once however often the terminal repeats it.
 */
import { fnv1a } from '#bytes/checksum'
import {
  deviceTopic,
  isAccepted,
  type Link,
  malformed,
  Message as Publication,
  type PublishOutcome,
  type RsaKey,
  type SaveOutcome,
} from '#sdk'
import { alarmData } from './alarms.ts'
import { type Header, type Location, type Message, type Of, Result, SERIALS } from './codec/index.ts'
import type { Config } from './config.ts'
import { emqxJson, emqxPayload, emqxTopics } from './emqx.ts'
import { cipherFor } from './encryption.ts'
import { locationEnvelope } from './location-envelope.ts'
import { mediaData, mediaPath, withoutBytes } from './media.ts'
import { RecentFrames } from './recent-frames.ts'
import { deviceOf, type Shared } from './shared.ts'
import type { Speaker } from './speaker.ts'
import { type Data, envelope, eventData, locationData, type Origin, unknownData, vendorEnvelope } from './topics.ts'
import { answerOf, type EventMessage } from './uplink.ts'

/** Type of a batch of points that could not be sent at their time (JT/T 808 8.49). */
const BLIND_AREA = 1

/** A report that became several publications. */
interface Open {
  left: number
  accepted: boolean
}

export class Reports {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  /** Header of the authentication: how to speak to this terminal. */
  readonly #terminal: Header
  readonly #edition: string | undefined
  /** Client id. */
  readonly #device: string
  readonly #recent: RecentFrames
  /** Undefined where the unified topics are off. */
  readonly #telemetryTopic: string | undefined
  readonly #eventTopic: string | undefined
  readonly #emqxTopic: string | undefined
  /** Alarm flags of the last report. */
  #alarms = 0
  /** By key; made for the first report of several publications. Bounded by what the broker has not answered yet. */
  #open: Map<number, Open> | undefined = undefined
  /** Messages that wait for the broker and whose answers need more than their number. By key; made for the first. */
  #named: Map<number, EventMessage> | undefined = undefined
  /** Media that is being written to a file. By key; made for the first. Bounded by what may wait to be written. */
  #saving: Map<number, Of<'media-data'>> | undefined = undefined

  constructor(shared: Shared, link: Link, speaker: Speaker, terminal: Header, edition: string | undefined) {
    this.#edition = edition
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#terminal = terminal
    this.#recent = new RecentFrames(shared.config.duplicates)
    const { topics } = shared.config
    const unified = topics.includes('unified')
    this.#device = deviceOf(shared, terminal.phone)
    this.#telemetryTopic = unified ? deviceTopic(this.#device, 'up/telemetry') : undefined
    this.#eventTopic = unified ? deviceTopic(this.#device, 'up/event') : undefined
    this.#emqxTopic = topics.includes('emqx') ? emqxTopics(this.#device).up : undefined
  }

  location(message: Of<'location'>, frame: Uint8Array): void {
    const key = keyOf(message.header)
    if (!this.#isNew(message, key, frame)) return
    const unified = this.#wanted(this.#telemetryTopic)
    const emqx = this.#wanted(this.#emqxTopic)
    const alarm = this.#alarmAt(message.body, message)
    if (unified !== undefined && emqx === undefined && alarm === undefined) {
      this.#link.publish(this.#locationAt(unified, message.body, message), key)
      return
    }
    const publications = unified === undefined ? [] : [this.#locationAt(unified, message.body, message)]
    if (alarm !== undefined) publications.push(alarm)
    if (emqx !== undefined) publications.push(this.#native(emqx, message))
    this.#publish(key, publications)
  }

  /** Each point is a location of its own; the batch is acknowledged when the broker has accepted all of them. */
  batch(message: Of<'location-batch'>, frame: Uint8Array): void {
    const key = keyOf(message.header)
    if (!this.#isNew(message, key, frame)) return
    const publications: Publication[] = []
    const topic = this.#wanted(this.#telemetryTopic)
    const live = this.#alarms
    if (message.body.type === BLIND_AREA) this.#alarms = 0
    for (const point of message.body.location) {
      if ('broken' in point) {
        this.#link.malformed(malformed('bad-batch-item'))
        continue
      }
      const report: Of<'location'> = { type: 'location', header: message.header, body: point }
      if (topic !== undefined) publications.push(this.#locationAt(topic, point, report))
      const alarm = this.#alarmAt(point, report)
      if (alarm !== undefined) publications.push(alarm)
    }
    // What could not be sent at its time is older than the last report.
    if (message.body.type === BLIND_AREA) this.#alarms = live
    this.#addNative(publications, message)
    this.#publish(key, publications)
  }

  /** A message that is an event of its own, unless it was the reply to a command; where the vehicle is, is a location. */
  event(message: EventMessage, frame: Uint8Array, replied: boolean): void {
    const key = keyOf(message.header)
    if (!this.#isNew(message, key, frame)) return
    if (message.type === 'media-data' || message.type === 'file-end' || message.type === 'terminal-key') {
      this.#named ??= new Map()
      this.#named.set(key, message)
    }
    if (message.type === 'media-data' && this.#isLarge(message)) {
      this.#saving ??= new Map()
      this.#saving.set(key, message)
      this.#link.save(mediaPath(message, this.#link.now()), new Uint8Array(message.body.multimedia), key)
      return
    }
    this.#tellEvent(key, message, replied)
  }

  /** A file is there, or not: then the terminal is to keep what it sent. */
  saved(key: number, outcome: SaveOutcome): void {
    const message = this.#saving?.get(key)
    if (message === undefined) return
    this.#saving?.delete(key)
    const publications: Publication[] = []
    const topic = this.#wanted(this.#eventTopic)
    if (topic !== undefined) publications.push(new Publication(topic, this.#eventEnvelope(message, outcome), 1))
    this.#addNative(publications, message, outcome)
    if (outcome.ok) {
      this.#publish(key, publications)
      return
    }
    for (const publication of publications) this.#link.publish(publication)
    this.#conclude(key, false)
  }

  #isLarge({ body }: Of<'media-data'>): boolean {
    const { files, maxMediaBytes } = this.#shared.config
    return files.enabled && body.multimedia.length > maxMediaBytes
  }

  #tellEvent(key: number, message: EventMessage, replied: boolean): void {
    const publications: Publication[] = []
    const where = locationIn(message)
    const telemetry = where === undefined ? undefined : this.#wanted(this.#telemetryTopic)
    if (where !== undefined && telemetry !== undefined) publications.push(this.#locationAt(telemetry, where, message))
    const topic = replied ? undefined : this.#wanted(this.#eventTopic)
    if (topic !== undefined) publications.push(new Publication(topic, this.#eventEnvelope(message), 1))
    if (message.type !== 'terminal-key') this.#addNative(publications, message)
    this.#publish(key, publications)
  }

  /** A message whose body is not decoded: refused, and published as it is unless it is broken. */
  opaque(message: Of<'opaque'>, frame: Uint8Array): void {
    const known = message.why === 'unknown' ? this.#shared.vendor.read(message.header.id, message) : undefined
    if (known === 'broken') {
      refuse({ ...message, why: 'malformed' }, this.#link, this.#speaker)
      return
    }
    if (known !== undefined) {
      this.#vendor(message, known.name, known.data, frame)
      return
    }
    refuse(message, this.#link, this.#speaker, this.#shared.config.answers.unknown)
    if (message.why === 'malformed') return
    const key = keyOf(message.header)
    if (this.#note(key, frame) !== 'new') return
    this.announce('unknown', message, () => unknownData(message.header.id, message))
    this.tell(message)
    this.#recent.settle(key, true)
  }

  /** A maker's message that the config declares: an event, acknowledged like those of the standard. */
  #vendor(message: Of<'opaque'>, name: string, data: Data, frame: Uint8Array): void {
    const key = keyOf(message.header)
    if (!this.#isNew(message, key, frame)) return
    const publications: Publication[] = []
    const topic = this.#wanted(this.#eventTopic)
    if (topic !== undefined)
      publications.push(new Publication(topic, vendorEnvelope(this.#origin(), name, data, message.header), 1))
    const emqx = this.#wanted(this.#emqxTopic)
    if (emqx !== undefined) publications.push(new Publication(emqx, emqxJson(message.header, data), 1))
    this.#publish(key, publications)
  }

  /** A message that has been dealt with, for those who follow EMQX's topic. */
  tell(message: Message): void {
    const topic = this.#wanted(this.#emqxTopic)
    if (topic !== undefined) this.#link.publish(this.#native(topic, message))
  }

  /** Publishes an event if somebody would see it. */
  announce(type: string, message: Message, data: () => Data): void {
    const topic = this.#wanted(this.#eventTopic)
    if (topic === undefined) return
    this.#link.publish(new Publication(topic, envelope(this.#origin(), type, data(), message), 1))
  }

  /** The broker's answer; `key` names the frame that waits for ours. */
  settle(key: number, outcome: PublishOutcome): void {
    const accepted = isAccepted(outcome)
    const open = this.#open?.get(key)
    if (open === undefined) {
      this.#conclude(key, accepted)
      return
    }
    open.left -= 1
    open.accepted &&= accepted
    if (open.left > 0) return
    this.#open?.delete(key)
    this.#conclude(key, open.accepted)
  }

  /** The topic, if somebody would see it. */
  #wanted(topic: string | undefined): string | undefined {
    return topic !== undefined && this.#link.wanted(topic) ? topic : undefined
  }

  #locationAt(topic: string, location: Location, message: Message): Publication {
    const basics = locationData(location, this.#shared.config.coordinates)
    const extra = this.#shared.vendor.extrasOf(location)
    if (message.type === 'location') return new Publication(topic, locationEnvelope(this.#origin(), basics, extra, message), 1)
    const data = extra === undefined ? basics : { ...basics, extra }
    return new Publication(topic, envelope(this.#origin(), 'location', data, message), 1)
  }

  /** The event that alarms began or ended with this report, if somebody would see it. */
  #alarmAt(location: Location, message: Message): Publication | undefined {
    const before = this.#alarms
    this.#alarms = location.alarm
    const data = alarmData(before, location, this.#shared.config.coordinates)
    const topic = data === undefined ? undefined : this.#wanted(this.#eventTopic)
    return topic === undefined ? undefined : new Publication(topic, envelope(this.#origin(), 'alarm', data ?? {}, message), 1)
  }

  #native(topic: string, message: Message, saved?: SaveOutcome): Publication {
    return new Publication(topic, emqxPayload(message, this.#shared.config.maxMediaBytes, saved), 1)
  }

  #addNative(publications: Publication[], message: Message, saved?: SaveOutcome): void {
    const topic = this.#wanted(this.#emqxTopic)
    if (topic !== undefined) publications.push(this.#native(topic, message, saved))
  }

  #eventEnvelope(message: EventMessage, saved?: SaveOutcome): Uint8Array {
    if (message.type !== 'media-data') {
      const data = eventData(message, this.#shared.config.maxInflatedBytes)
      if (data['inflate_error'] === 'malformed') this.#link.malformed(malformed('bad-compression'))
      else if (data['inflate_error'] !== undefined) this.#link.count('inflated-too-long')
      return envelope(this.#origin(), message.type, data, message)
    }
    const data = mediaData(message, this.#shared.config, saved)
    return envelope(this.#origin(), 'media', data, withoutBytes(message))
  }

  #publish(key: number, publications: readonly Publication[]): void {
    if (publications.length === 0) {
      this.settle(key, 'no-subscribers')
      return
    }
    if (publications.length > 1) {
      this.#open ??= new Map()
      this.#open.set(key, { left: publications.length, accepted: true })
    }
    for (const publication of publications) this.#link.publish(publication, key)
  }

  #conclude(key: number, accepted: boolean): void {
    this.#recent.settle(key, accepted)
    // What was not accepted comes again, and is to tell its alarms again.
    if (!accepted) this.#alarms = 0
    const named = this.#named?.get(key)
    this.#named?.delete(key)
    this.#answer(Math.floor(key / SERIALS), key % SERIALS, accepted, named)
  }

  #answer(id: number, sn: number, accepted: boolean, message: Message | undefined): void {
    const answer = answerOf(id)
    const { replies, mediaList } = this.#shared.config.answers
    if (answer === 'none' && !replies) return
    if (accepted && message?.type === 'media-data') {
      // The 2011 edition wants the list, if empty; later ones want none when nothing is missing.
      const retx_ids = this.#edition === '2011' || mediaList ? [] : undefined
      this.#speaker.send(this.#terminal, { type: 'media-response', body: { mm_id: message.body.id, retx_ids } })
      return
    }
    if (accepted && message?.type === 'file-end') {
      const { name, type } = message.body
      this.#speaker.send(this.#terminal, { type: 'file-response', body: { name, type, result: Result.ok, ranges: [] } })
      return
    }
    if (accepted && message?.type === 'terminal-key' && this.#shared.key !== undefined) {
      this.#exchange(message, this.#shared.key)
      return
    }
    const result = !accepted ? Result.failed : answer === 'key' ? Result.unsupported : Result.ok
    this.#speaker.answer(this.#terminal, id, sn, result)
  }

  /** The platform's key for the terminal's; what follows may be encrypted (JT/T 808 8.64, 8.65). */
  #exchange({ body }: Of<'terminal-key'>, { exponent, modulus }: RsaKey): void {
    this.#speaker.send(this.#terminal, { type: 'platform-key', body: { e: exponent, n: modulus } })
    if (!this.#shared.config.rsa.reply) return
    const cipher = cipherFor(this.#shared.keys, body.e, body.n)
    if (cipher === undefined) this.#link.count('unusable-key')
    else this.#speaker.encryptWith(cipher)
  }

  /** False for a repetition: it is answered like the first, or waits with it for the broker. */
  #isNew(message: Message, key: number, frame: Uint8Array): boolean {
    const seen = this.#note(key, frame)
    if (seen === 'accepted') this.#answer(message.header.id, message.header.sn, true, message)
    return seen === 'new'
  }

  #note(key: number, frame: Uint8Array): 'new' | 'pending' | 'accepted' {
    const seen = this.#recent.note(key, fnv1a(frame))
    if (seen !== 'new') this.#link.count('duplicate')
    return seen
  }

  #origin(): Origin {
    return { device: this.#device, gateway: this.#link.gateway, ts: this.#link.now(), native: this.#shared.config.native }
  }
}

function locationIn(message: EventMessage): Location | undefined {
  if (message.type === 'location-reply') return message.body.params
  return message.type === 'control-reply' ? message.body.location : undefined
}

/** Answers a message whose body cannot be used (JT/T 808 8.2: 2 bad message, 3 unsupported); `unknown`: how one that nobody knows. */
export function refuse(
  { header, why }: Of<'opaque'>,
  link: Link,
  speaker: Speaker,
  unknown: Config['answers']['unknown'] = 'unsupported',
): void {
  if (why === 'malformed') link.malformed(malformed('bad-body'))
  else if (why === 'encrypted') link.count('encrypted-message')
  else link.count('unknown-message')
  const known = why === 'unknown' ? Result[unknown] : Result.unsupported
  speaker.respond(header, why === 'malformed' ? Result.badMessage : known)
}

/** Message id and serial number in one number, never 0 for a report. */
function keyOf({ id, sn }: Header): number {
  return id * SERIALS + sn
}
