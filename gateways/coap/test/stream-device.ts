/** A CoAP device on a connection (RFC 8323) in virtual time: TCP, or WebSocket where `delimited`. */
import assert from 'node:assert/strict'
import { isMalformed } from '#sdk'
import { CON } from '#stacks/coap/codes'
import { serialize } from '#stacks/coap/message'
import { OBSERVE, type Option, uintOption } from '#stacks/coap/options'
import { csm, isSignalling } from '#stacks/coap/signalling'
import { datagramOf, frameOf, StreamFramer } from '#stacks/coap/stream-frame'
import type { TestGateway, TestPeer } from '#testing'
import { type Ask, type Got, read, uriOptions } from './device.ts'

/** A signalling message: its code as octet, and the rest as datagram. */
export interface Signal {
  readonly code: number
  readonly datagram: Uint8Array
}

export class StreamDevice {
  readonly peer: TestPeer
  readonly signals: Signal[] = []
  readonly #delimited: boolean
  readonly #framer = new StreamFramer(10_000_000)
  #token = 0

  constructor(gateway: TestGateway, delimited = false, maxMessageBytes = 100_000) {
    this.#delimited = delimited
    this.peer = gateway.connect({ datagram: false, delimited })
    this.sendDatagram(csm(maxMessageBytes, 8))
  }

  sendDatagram(datagram: Uint8Array): void {
    this.peer.send(frameOf(datagram, this.#delimited))
  }

  send({ code, uri, payload, token = String.fromCharCode(0xa0, this.#token++ & 0xff), observe, options = [] }: Ask): void {
    const list: Option[] = [...uriOptions(uri), ...options]
    if (observe !== undefined) list.push(uintOption(OBSERVE, observe))
    const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    this.sendDatagram(serialize(CON, code, 0, token, list, body))
  }

  ask(ask: Ask): Got {
    this.send(ask)
    return this.one()
  }

  /** What arrived since the last look; signals go to `signals`. */
  got(): Got[] {
    const frames: Uint8Array[] = []
    const sink = {
      frame: (bytes: Uint8Array) => frames.push(bytes.slice()) > 0,
      malformed: () => assert.fail('the gateway sent what is no frame'),
    }
    for (const chunk of this.peer.take()) {
      if (this.#delimited) frames.push(chunk)
      else this.#framer.push(chunk, sink)
    }
    const got: Got[] = []
    for (const frame of frames) {
      const datagram = datagramOf(frame, this.#delimited)
      if (isMalformed(datagram)) throw new Error(`the gateway sent what is no message: ${datagram.malformed}`)
      const code = datagram[1] as number
      if (isSignalling(code)) this.signals.push({ code, datagram })
      else got.push(read(datagram))
    }
    return got
  }

  one(): Got {
    const all = this.got()
    assert.equal(all.length, 1, `one message, not ${all.map(({ code, text }) => `${code} ${text}`).join(', ') || 'none'}`)
    return all[0] as Got
  }
}
