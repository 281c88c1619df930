/**
 * What an authenticated terminal reports: published on the unified topics, and acknowledged when the broker has accepted
 * it, once however often the terminal repeats it.
 */
import { fnv1a } from '#bytes/checksum'
import { deviceTopic, isAccepted, type Link, malformed, Message as Publication, type PublishOutcome } from '#sdk'
import { type Header, type Message, type Of, Result, SERIALS } from './codec/index.ts'
import { RecentFrames } from './recent-frames.ts'
import type { Shared } from './shared.ts'
import type { Speaker } from './speaker.ts'
import { type Data, envelope, locationData, type Origin, unknownData } from './topics.ts'

export class Reports {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  /** Header of the authentication: how to speak to this terminal. */
  readonly #terminal: Header
  readonly #recent: RecentFrames
  readonly #telemetryTopic: string
  readonly #eventTopic: string

  constructor(shared: Shared, link: Link, speaker: Speaker, terminal: Header) {
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#terminal = terminal
    this.#recent = new RecentFrames(shared.config.duplicates)
    this.#telemetryTopic = deviceTopic(terminal.phone, 'up/telemetry')
    this.#eventTopic = deviceTopic(terminal.phone, 'up/event')
  }

  location(message: Of<'location'>, frame: Uint8Array): void {
    const key = keyOf(message.header)
    const seen = this.#note(key, frame)
    if (seen === 'accepted') {
      this.#speaker.respond(message.header, Result.ok)
    } else if (seen === 'new') {
      const topic = this.#telemetryTopic
      if (!this.#link.wanted(topic)) {
        this.settle(key, 'no-subscribers')
        return
      }
      const payload = envelope(this.#origin(), 'location', locationData(message.body), message)
      this.#link.publish(new Publication(topic, payload, 1), key)
    }
  }

  /** A message whose body is not decoded: refused, and published as it is unless it is only a piece. */
  opaque(message: Of<'opaque'>, frame: Uint8Array): void {
    refuse(message, this.#link, this.#speaker)
    if (message.why === 'part' || message.why === 'malformed') return
    const key = keyOf(message.header)
    if (this.#note(key, frame) !== 'new') return
    this.announce('unknown', message, () => unknownData(message.header.id, message))
    this.#recent.settle(key, true)
  }

  /** Publishes an event if somebody would see it. */
  announce(type: string, message: Message, data: () => Data): void {
    const topic = this.#eventTopic
    if (!this.#link.wanted(topic)) return
    this.#link.publish(new Publication(topic, envelope(this.#origin(), type, data(), message), 1))
  }

  /** The broker's answer; `key` names the frame that waits for ours. */
  settle(key: number, outcome: PublishOutcome): void {
    const accepted = isAccepted(outcome)
    this.#recent.settle(key, accepted)
    this.#speaker.answer(this.#terminal, Math.floor(key / SERIALS), key % SERIALS, accepted ? Result.ok : Result.failed)
  }

  /** Whether this frame came before; a repetition of one that waits for the broker is answered with that one. */
  #note(key: number, frame: Uint8Array): 'new' | 'pending' | 'accepted' {
    const seen = this.#recent.note(key, fnv1a(frame))
    if (seen !== 'new') this.#link.count('duplicate')
    return seen
  }

  #origin(): Origin {
    return { device: this.#terminal.phone, gateway: this.#link.gateway, ts: this.#link.now(), native: this.#shared.config.native }
  }
}

/** Answers a message whose body cannot be used (JT/T 808 8.2: 2 bad message, 3 unsupported). */
export function refuse({ header, why }: Of<'opaque'>, link: Link, speaker: Speaker): void {
  if (why === 'malformed') link.malformed(malformed('bad-body'))
  else if (why === 'part') link.count('subpackage-unsupported')
  else if (why === 'encrypted') link.count('encrypted-message')
  else link.count('unknown-message')
  speaker.respond(header, why === 'malformed' ? Result.badMessage : Result.unsupported)
}

/** Message id and serial number in one number, never 0 for a report. */
function keyOf({ id, sn }: Header): number {
  return id * SERIALS + sn
}
