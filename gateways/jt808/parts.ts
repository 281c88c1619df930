/**
 * Parts of long messages as one terminal sends them: each acknowledged, missing ones asked for with 0x8003 (JT/T 808 8.4), or
 * with 0x8800 where they are media (8.53), and given up when they do not come.
 */
import { fnv1a } from '#bytes/checksum'
import { type Link, malformed } from '#sdk'
import { Assemblies, type Assembly, missingParts } from './assemblies.ts'
import { type Header, type Message, type Of, Result, readMessage } from './codec/index.ts'
import type { Shared } from './shared.ts'
import type { Speaker } from './speaker.ts'

const MEDIA_DATA = 0x0801
/** Octets of the media's number at the beginning of its first part. */
const MEDIA_ID_OCTETS = 4

/** One octet counts them in 2013, and more would not fit a frame in 2019. */
const MAX_ASKED = 255

export class Parts {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  readonly #terminal: Header
  readonly #timer: number
  /** 2011 knows no 0x8003. */
  readonly #asksParts: boolean
  readonly #assemblies: Assemblies

  constructor(shared: Shared, link: Link, speaker: Speaker, terminal: Header, timer: number, edition: string | undefined) {
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#terminal = terminal
    this.#timer = timer
    this.#asksParts = edition !== '2011'
    this.#assemblies = new Assemblies(shared.assembling)
  }

  get open(): number {
    return this.#assemblies.open.length
  }

  /** The whole message, when this part completes it: under the header of this part. */
  take({ header, body }: Of<'opaque'>, frame: Uint8Array): { readonly message: Message; readonly body: Uint8Array } | undefined {
    const { parts } = this.#shared.config
    const added = this.#assemblies.add(header, body, fnv1a(frame), this.#link.now(), parts, () =>
      this.#link.count('assembly-dropped'),
    )
    this.#rearm()
    switch (added.kind) {
      case 'complete': {
        const whole: Header = { ...header, part: undefined, length: added.body.length }
        return { message: readMessage(whole, added.body, 0, added.body.length), body: added.body }
      }
      case 'refused':
        if (added.reason === 'bad-part') this.#link.malformed(malformed('bad-part'))
        else this.#link.count(added.reason)
        this.#speaker.respond(header, added.reason === 'bad-part' ? Result.badMessage : Result.failed)
        return undefined
      case 'repeated':
        this.#link.count('duplicate')
        this.#acknowledge(header)
        return undefined
      default:
        this.#acknowledge(header)
        return undefined
    }
  }

  /** The timer fired: asks for what is missing, gives up what does not come. */
  check(): void {
    const { askAfter, asks } = this.#shared.config.parts
    const now = this.#link.now()
    for (const assembly of [...this.#assemblies.open]) {
      if (dueAt(assembly, askAfter) > now) continue
      if (assembly.asked >= asks) {
        this.#assemblies.drop(assembly)
        this.#link.count('assembly-given-up')
        continue
      }
      assembly.asked += 1
      this.#ask(assembly)
    }
    this.#rearm()
  }

  close(): void {
    this.#assemblies.clear()
  }

  #acknowledge(header: Header): void {
    const { acknowledge } = this.#shared.config.parts
    if (acknowledge === 'none' || (acknowledge === 'except-media' && header.id === MEDIA_DATA)) return
    this.#speaker.respond(header, Result.ok)
  }

  #ask(assembly: Assembly): void {
    const ids = missingParts(assembly, MAX_ASKED)
    // The number of encrypted media is not known before all of it is there.
    const first = assembly.encryption === 0 ? assembly.parts.get(0) : undefined
    if (assembly.id === MEDIA_DATA && first !== undefined && first.length >= MEDIA_ID_OCTETS) {
      const mm_id = new DataView(first.buffer, first.byteOffset).getUint32(0)
      this.#speaker.send(this.#terminal, { type: 'media-response', body: { mm_id, retx_ids: ids } })
    } else if (this.#asksParts) {
      this.#speaker.send(this.#terminal, { type: 'platform-resend', body: { seq: assembly.firstSn, ids } })
    } else {
      return
    }
    this.#link.count('parts-asked-for', ids.length)
  }

  #rearm(): void {
    const { askAfter } = this.#shared.config.parts
    let next = Number.POSITIVE_INFINITY
    for (const assembly of this.#assemblies.open) next = Math.min(next, dueAt(assembly, askAfter))
    if (next === Number.POSITIVE_INFINITY) this.#link.disarm(this.#timer)
    else this.#link.arm(this.#timer, Math.max(1, next - this.#link.now()))
  }
}

function dueAt(assembly: Assembly, askAfterMs: number): number {
  return assembly.lastAt + (assembly.asked + 1) * askAfterMs
}
