/** A CoAP device on a socket whose requests are protected by OSCORE (RFC 8613). */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isMalformed } from '#sdk'
import { ACK, CON, codeText } from '#stacks/coap/codes'
import { type CoapMessage, parse, serialize, serializeEmpty } from '#stacks/coap/message'
import type { OptionSet } from '#stacks/coap/option-set'
import { type Option, OSCORE, textOption, URI_PATH } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { decodeOscoreHeader } from '#stacks/coap/oscore/option'
import { protectRequest, type RequestBinding, unprotectResponse } from '#stacks/coap/oscore/protection'
import { systemCrypto } from '../../src/runtime/crypto.ts'
import type { Cleanup } from './child.ts'
import { within } from './waiting.ts'

function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** One context, as RFC 8613 C.1 has it: the gateway's side has the ids the other way round. */
export const OSCORE_KEYS = {
  masterSecret: '0102030405060708090a0b0c0d0e0f10',
  masterSalt: '9e7ca92223786340',
} as const

const SERVER_ID = '01'

export interface Opened {
  readonly code: string
  readonly text: string
  readonly options: OptionSet
  /** Of the nonce, where the answer had one of its own. */
  readonly partialIv: number | undefined
}

/** What it sends, it may send again. */
export interface Sealed {
  send(): void
  opened(): Promise<Opened>
}

export class OscoreDevice {
  /** Where the server is. */
  port: number
  readonly #socket: Socket = createSocket('udp4')
  readonly #context: SecurityContext
  #messageId = 0

  constructor(port: number, cleanup: Cleanup, sender = '', idContext?: string) {
    const input = {
      masterSecret: octets(OSCORE_KEYS.masterSecret),
      masterSalt: octets(OSCORE_KEYS.masterSalt),
      senderId: octets(sender),
      recipientId: octets(SERVER_ID),
      idContext: idContext === undefined ? undefined : octets(idContext),
    }
    this.port = port
    this.#context = new SecurityContext(input, systemCrypto)
    cleanup.after(() => this.#socket.close())
  }

  /** A protected request: how it is sent, again if need be, and how its answers are opened. */
  request(code: number, path: string, options: readonly Option[] = [], payload = ''): Sealed {
    const all = [...path.split('/').map((segment) => textOption(URI_PATH, segment)), ...options]
    const made =
      protectRequest(this.#context, { code, options: all, payload: new TextEncoder().encode(payload) }) ?? assert.fail()
    const { message, binding } = made
    const send = () => this.#send(serialize(CON, message.code, ++this.#messageId, 't', message.options, message.payload))
    return { send, opened: async () => this.#open(binding, await this.received()) }
  }

  async ask(code: number, path: string, options: readonly Option[] = [], payload = ''): Promise<Opened> {
    const { send, opened } = this.request(code, path, options, payload)
    send()
    return opened()
  }

  /** The next message; a Confirmable one is acknowledged. */
  async received(): Promise<CoapMessage> {
    const [datagram] = (await within('a message', once(this.#socket, 'message'))) as [Uint8Array]
    const message = parse(datagram)
    if (isMalformed(message)) assert.fail(message.malformed)
    if (message.type === CON) this.#send(serializeEmpty(ACK, message.messageId))
    return message
  }

  #send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.port, '127.0.0.1')
  }

  #open(binding: RequestBinding, outer: CoapMessage): Opened {
    const inner = unprotectResponse(binding, outer) ?? assert.fail('not genuine')
    const { partialIv } = decodeOscoreHeader(outer.options.opaque(OSCORE) ?? assert.fail()) ?? assert.fail()
    return {
      code: codeText(inner.code),
      text: new TextDecoder().decode(inner.payload),
      options: inner.options,
      partialIv: partialIv && Buffer.from(partialIv).readUIntBE(0, partialIv.length),
    }
  }
}
