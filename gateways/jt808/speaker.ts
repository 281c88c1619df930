/** What the platform says to one terminal: numbers frames, and speaks in the terminal's own form of the header. */
import type { Link } from '#sdk'
import { closeFrame, type Draft, type Header, headerTo, messageId, SERIALS, writeBody } from './codec/index.ts'

/** A frame as it was sent: what it takes to repeat it and to know its answer. */
export interface Sent {
  readonly id: number
  readonly sn: number
  readonly frame: Uint8Array
}

export class Speaker {
  readonly #link: Link
  /** Serial number of the next frame. */
  #sn = 0

  constructor(link: Link) {
    this.#link = link
  }

  /** To the terminal that sent a frame with this header. */
  send(to: Header, draft: Draft): void {
    this.sendBody(to, messageId(draft), writeBody(draft, to.form))
  }

  sendBody(to: Header, id: number, body: Uint8Array): Sent {
    const sn = this.#sn
    this.#sn = (sn + 1) % SERIALS
    const frame = closeFrame(headerTo(to, id, sn), body)
    this.#link.send(frame)
    return { id, sn, frame }
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
