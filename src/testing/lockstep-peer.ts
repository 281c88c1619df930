/** A device of a script: what it says and hears, frame by frame, in the protocol's notation or as octets. */
import type { CloseReason, Framer, Peer, WireFormat } from '../sdk.ts'
import { hex, unhex } from './bytes.ts'
import type { Captures } from './lockstep-pattern.ts'
import { fill, matchesHex, matchesTokens } from './lockstep-pattern.ts'
import type { TestGateway, TestPeer } from './world.ts'

/**
 * How people write the frames of a protocol. One object serves one connection, so that it may remember what both sides
 * said (a version, a serial number). `encode` throws when the text is no frame; `decode` prints in a stable order.
 */
export interface Notation {
  encode(text: string): Uint8Array
  decode(frame: Uint8Array): string
}

const HEX = /^hex\b\s*/

export class ScriptPeer {
  readonly #gateway: TestGateway
  readonly #address: Partial<Peer>
  readonly #notation: Notation | undefined
  readonly #framer: Framer | undefined
  #peer: TestPeer
  #unread: Uint8Array[] = []

  constructor(
    gateway: TestGateway,
    address: Partial<Peer>,
    wire: WireFormat<unknown> | undefined,
    notation: Notation | undefined,
  ) {
    this.#gateway = gateway
    this.#notation = notation
    this.#framer = address.datagram ? undefined : wire?.framer?.()
    this.#peer = gateway.connect(address)
    // A datagram that comes later from here comes from the same address.
    this.#address = this.#peer.wire.peer
  }

  get closed(): CloseReason | undefined {
    return this.#peer.closed
  }

  /** Frames that the gateway has sent and the script has not looked at. */
  get unread(): readonly Uint8Array[] {
    for (const bytes of this.#peer.take()) this.#cut(bytes)
    return this.#unread
  }

  say(text: string, captures: Captures): void {
    const bytes = this.#encode(fill(text, captures))
    // The listener opens a session for a datagram of an address that has none.
    if (this.#address.datagram && this.#peer.wire.ended !== undefined) {
      this.#unread.push(...this.#peer.take())
      this.#peer = this.#gateway.connect(this.#address)
    }
    this.#peer.send(bytes)
  }

  /** Takes the next frame; answers what it was when it is not what the pattern says. */
  hear(pattern: string, captures: Captures): string | undefined {
    const frame = this.unread[0]
    if (frame === undefined) return 'nothing'
    this.#unread.shift()
    const isMatch = HEX.test(pattern)
      ? matchesHex(pattern.replace(HEX, ''), frame)
      : matchesTokens(pattern, this.print(frame), captures)
    return isMatch ? undefined : HEX.test(pattern) ? `hex ${spaced(frame)}` : this.print(frame)
  }

  print(frame: Uint8Array): string {
    if (this.#notation === undefined) return `hex ${spaced(frame)}`
    try {
      return this.#notation.decode(frame)
    } catch {
      return `hex ${spaced(frame)}`
    }
  }

  hangUp(): void {
    this.#peer.hangUp()
  }

  stopReading(): void {
    this.#peer.wire.congested = true
  }

  readAgain(): void {
    this.#peer.wire.drain()
  }

  #encode(text: string): Uint8Array {
    if (HEX.test(text)) return unhex(text.replace(HEX, ''))
    if (this.#notation === undefined) throw new Error('this gateway has no notation: write `hex` and the octets')
    return this.#notation.encode(text)
  }

  #cut(bytes: Uint8Array): void {
    if (this.#framer === undefined) {
      this.#unread.push(bytes)
      return
    }
    this.#framer.push(bytes, {
      frame: (frame) => {
        this.#unread.push(frame.slice())
        return true
      },
      malformed: () => void this.#unread.push(bytes),
    })
  }
}

function spaced(bytes: Uint8Array): string {
  return hex(bytes).replace(/..(?=.)/g, '$& ')
}
