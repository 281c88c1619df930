/** A CoAP device in virtual time: what it sends is written here, what it gets back is read here. */
import assert from 'node:assert/strict'
import { isMalformed } from '#sdk'
import { ACK, CON, codeText, GET, type MessageType, type NON, RST } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize, serializeEmpty } from '#stacks/coap/message'
import {
  BLOCK2,
  CONTENT_FORMAT,
  LOCATION_PATH,
  OBSERVE,
  type Option,
  textOption,
  URI_PATH,
  URI_QUERY,
  uintOption,
} from '#stacks/coap/options'
import type { AppClient, TestGateway, TestPeer } from '#testing'

export interface Ask {
  readonly type?: typeof CON | typeof NON
  readonly code: number
  /** `/ps/a/b?clientid=d1`; percent-escapes are sent as they stand. */
  readonly uri: string
  readonly payload?: string | Uint8Array
  readonly token?: string
  readonly messageId?: number
  readonly observe?: number
  readonly options?: readonly Option[]
}

/** A message from the gateway, as a test reads it. */
export interface Got {
  readonly type: MessageType
  readonly code: string
  readonly messageId: number
  readonly token: string
  readonly text: string
  readonly observe: number | undefined
  readonly format: number | undefined
  readonly location: string
  readonly message: CoapMessage
}

const TYPES = ['CON', 'NON', 'ACK', 'RST']

export class Device {
  readonly peer: TestPeer
  #messageId = 1000
  #token = 0

  constructor(gateway: TestGateway, address = '10.0.0.1', port?: number) {
    this.peer = gateway.connect({ datagram: true, address, ...(port !== undefined && { port }) })
  }

  /** Sends a request; its bytes, for repetition. */
  send(ask: Ask): Uint8Array {
    const { type = CON, code, uri, payload, token = this.nextToken(), messageId = this.nextId(), observe, options = [] } = ask
    const list = [...uriOptions(uri), ...options]
    if (observe !== undefined) list.push(uintOption(OBSERVE, observe))
    const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    const bytes = serialize(type, code, messageId, token, list, body)
    this.peer.send(bytes)
    return bytes
  }

  /** Sends a request and returns the one message that comes back at once. */
  ask(ask: Ask): Got {
    this.send(ask)
    return this.one()
  }

  repeat(bytes: Uint8Array): void {
    this.peer.send(bytes)
  }

  ack(messageId: number): void {
    this.peer.send(serializeEmpty(ACK, messageId))
  }

  reset(messageId: number): void {
    this.peer.send(serializeEmpty(RST, messageId))
  }

  /** Everything that arrived since the last look. */
  got(): Got[] {
    return this.peer.take().map(read)
  }

  one(): Got {
    const all = this.got()
    assert.equal(
      all.length,
      1,
      `one message, not ${all.map((got) => `${TYPES[got.type]} ${got.code} ${got.text}`).join(', ') || 'none'}`,
    )
    return all[0] as Got
  }

  nextId(): number {
    return this.#messageId++
  }

  nextToken(): string {
    return String.fromCharCode(0xa0, this.#token++ & 0xff)
  }
}

export function read(bytes: Uint8Array): Got {
  const message = parse(bytes)
  if (isMalformed(message)) throw new Error(`the gateway sent a malformed message: ${message.malformed}`)
  const { type, code, messageId, token, options, payload } = message
  return {
    type,
    code: codeText(code),
    messageId,
    token,
    text: new TextDecoder().decode(payload),
    observe: options.uint(OBSERVE),
    format: options.uint(CONTENT_FORMAT),
    location: options.texts(LOCATION_PATH).join('/'),
    message,
  }
}

export function uriOptions(uri: string): Option[] {
  const [path = '', query] = uri.split('?')
  const options = path
    .split('/')
    .slice(1)
    .map((segment) => textOption(URI_PATH, segment))
  if (query !== undefined) options.push(...query.split('&').map((part) => textOption(URI_QUERY, part)))
  return options
}

/** The Block2 of a message: number, more, size. */
export function block2Of(got: Got): { number: number; more: boolean; size: number } | undefined {
  const value = got.message.options.uint(BLOCK2)
  return value === undefined ? undefined : { number: value >> 4, more: (value & 8) !== 0, size: 1 << ((value & 7) + 4) }
}

/** The JSON of the next message that an application has. */
export function nextJson<T>(app: AppClient): T {
  const [message] = app.take()
  return (message ?? assert.fail('no message')).json() as T
}

/** Registers with the token `ob`, and returns the answer. */
export function observe(device: Device, uri: string, ask: Partial<Ask> = {}): Got {
  return device.ask({ code: GET, uri, observe: 0, token: 'ob', ...ask })
}

export function newer(later: Got, earlier: Got): boolean {
  return (later.observe ?? -1) > (earlier.observe ?? -1)
}
