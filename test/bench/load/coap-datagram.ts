/** A device's datagram: RFC 7252 CON or NON POST /ps/{topic}?clientid={id} with a stamped payload, encoded once and reused. */
import type { DatagramSource } from './datagram.ts'
import { blankPayload, stamp } from './stamp.ts'

// RFC 7252 3: version 1, type 0 (CON) and 1 (NON)
const VERSION_1_CON = 0x40
const VERSION_1_NON = 0x50
const POST = 0x02 // RFC 7252 12.1.1
const URI_PATH = 11 // RFC 7252 5.10
const URI_QUERY = 15 // RFC 7252 5.10
const PAYLOAD_MARKER = 0xff
const TOKEN_BYTES = 2
const HEADER_BYTES = 4

/** RFC 7252 4.4: an endpoint must not reuse a message id within EXCHANGE_LIFETIME (247 s), longer than any run. */
export const MAX_MESSAGES = 65_536

/** RFC 7252 3.1: an option whose delta and length may need one extended byte each. */
function option(delta: number, value: string): Buffer {
  const bytes = Buffer.from(value)
  const nibble = (n: number) => Math.min(n, 13)
  const extended = (n: number) => (n < 13 ? [] : [n - 13])
  const header = [(nibble(delta) << 4) | nibble(bytes.length), ...extended(delta), ...extended(bytes.length)]
  return Buffer.concat([Buffer.from(header), bytes])
}

export class PublishDatagram implements DatagramSource {
  readonly #publisher: number
  readonly #bytes: Buffer
  readonly #payloadAt: number
  #sent = 0

  constructor(publisher: number, topic: string, clientId: string, confirmable = false) {
    this.#publisher = publisher
    const [first = '', ...rest] = ['ps', ...topic.split('/')]
    const path = [option(URI_PATH, first), ...rest.map((segment) => option(0, segment))]
    const head = Buffer.concat([
      Buffer.from([(confirmable ? VERSION_1_CON : VERSION_1_NON) | TOKEN_BYTES, POST, 0, 0]),
      Buffer.alloc(TOKEN_BYTES),
      ...path,
      option(URI_QUERY - URI_PATH, `clientid=${clientId}`),
      Buffer.from([PAYLOAD_MARKER]),
    ])
    this.#bytes = Buffer.concat([head, blankPayload()])
    this.#payloadAt = head.length
  }

  get payloadAt(): number {
    return this.#payloadAt
  }

  get exhausted(): boolean {
    return this.#sent === MAX_MESSAGES
  }

  /** The next message: its own message id, the same number as token, and a stamp. Valid until the next call. */
  next(nowMs: number): Buffer {
    const id = this.#sent++
    this.#bytes.writeUInt16BE(id, 2)
    this.#bytes.writeUInt16BE(id, HEADER_BYTES)
    stamp(this.#bytes, this.#payloadAt, this.#publisher, this.#sent, nowMs)
    return this.#bytes
  }

  isSuccess(answer: Uint8Array): boolean {
    return isSuccess(answer)
  }
}

/** True for an answer of class 2 (success). RFC 7252 5.9.1 */
export function isSuccess(answer: Uint8Array): boolean {
  return answer.length >= HEADER_BYTES && (answer[1] ?? 0) >> 5 === 2
}
