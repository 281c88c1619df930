/**
 * What the platform says to one terminal: numbers frames, speaks in the terminal's own form of the header, and cuts what is too
 * long for a frame into parts with consecutive numbers (JT/T 808 4.4.3).
 */
import type { Link } from '#sdk'
import { closeFrame, type Draft, type Header, headerTo, MAX_BODY_BYTES, messageId, SERIALS, writeBody } from './codec/index.ts'
import { type Cipher, MAX_PLAIN_BYTES, RSA } from './encryption.ts'

/** A message as it was sent: what it takes to repeat it and to know its answer. */
export interface Sent {
  readonly id: number
  /** Of the first frame; the others follow. */
  readonly sn: number
  readonly frames: readonly Uint8Array[]
}

/** Octets of a part: a little less than a frame holds. */
const PART_BYTES = 1000

export class Speaker {
  readonly #link: Link
  /** Serial number of the next frame. */
  #sn = 0
  /** The last message that took several frames: the terminal may ask for some of them again until it has acknowledged each. */
  #long: Sent | undefined = undefined
  #cipher: Cipher | undefined = undefined

  constructor(link: Link) {
    this.#link = link
  }

  /** From now on bodies are encrypted. */
  encryptWith(cipher: Cipher): void {
    this.#cipher = cipher
  }

  /** To the terminal that sent a frame with this header. */
  send(to: Header, draft: Draft): void {
    this.sendBody(to, messageId(draft), writeBody(draft, to.form))
  }

  /** `chosen`: the serial number that an application wants; counting goes on without it. */
  sendBody(to: Header, id: number, body: Uint8Array, chosen?: number): Sent {
    const sn = chosen ?? this.#sn
    if (body.length <= (this.#cipher === undefined ? MAX_BODY_BYTES : MAX_PLAIN_BYTES)) {
      if (chosen === undefined) this.#sn = (sn + 1) % SERIALS
      const frame = this.#frame(headerTo(to, id, sn), body)
      this.#link.send(frame)
      return { id, sn, frames: [frame] }
    }
    const octets = this.#cipher === undefined ? PART_BYTES : MAX_PLAIN_BYTES
    const total = Math.ceil(body.length / octets)
    if (chosen === undefined) this.#sn = (sn + total) % SERIALS
    const frames = Array.from({ length: total }, (_, i) => {
      const header = { ...headerTo(to, id, (sn + i) % SERIALS), part: { total, sn: i + 1 } }
      return this.#frame(header, body.subarray(i * octets, (i + 1) * octets))
    })
    for (const frame of frames) this.#link.send(frame)
    this.#long = { id, sn, frames }
    return this.#long
  }

  #frame(header: Header, body: Uint8Array): Uint8Array {
    if (this.#cipher === undefined || body.length === 0) return closeFrame(header, body)
    return closeFrame({ ...header, encryption: RSA }, this.#cipher(body))
  }

  /** Sends parts again, by their numbers from 1, of the long message whose first frame had this number. Returns how many it had. */
  resend(sn: number, parts: readonly number[]): number {
    if (this.#long?.sn !== sn) return 0
    let count = 0
    for (const part of new Set(parts)) {
      const frame = this.#long.frames[part - 1]
      if (frame === undefined) continue
      this.#link.send(frame)
      count += 1
    }
    return count
  }

  /** The terminal has all of it, or will not have it: its frames need not be kept. */
  release(sent: Sent): void {
    if (this.#long === sent) this.#long = undefined
  }

  /** The platform's general response to the frame with this header (JT/T 808 8.2). */
  respond(header: Header, result: number): void {
    this.answer(header, header.id, header.sn, result)
  }

  /** The same for a frame of which only id and serial number are left. */
  answer(to: Header, id: number, seq: number, result: number): void {
    this.send(to, { type: 'platform-response', body: { seq, id, result, extra_raw: undefined } })
  }
}
