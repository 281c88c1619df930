/** A CoAP device that protects its requests by OSCORE (RFC 8613), in virtual time: its half is the stack's client side. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { isMalformed } from '#sdk'
import { ACK, CON, codeText } from '#stacks/coap/codes'
import { type CoapMessage, serialize, serializeEmpty } from '#stacks/coap/message'
import { OBSERVE, type Option, OSCORE, uintOption } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { protectRequest, type RequestBinding, unprotectResponse } from '#stacks/coap/oscore/protection'
import { csm, isSignalling } from '#stacks/coap/signalling'
import { datagramOf, frameOf } from '#stacks/coap/stream-frame'
import { systemCrypto, type TestGateway, type TestPeer, World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { type Ask, read, uriOptions } from './device.ts'

/** RFC 8613 appendix C.1. */
const MASTER = { masterSecret: '0102030405060708090a0b0c0d0e0f10', masterSalt: '9e7ca92223786340' }

export interface Ids {
  readonly sender?: string
  readonly recipient?: string
  readonly idContext?: string
  readonly masterSecret?: string
}

/** The gateway's side of it, as its config says it. */
export function account(clientId: string, ids: Ids = {}): Readonly<Record<string, string>> {
  const { sender = '', recipient = '01', idContext, masterSecret = MASTER.masterSecret } = ids
  const more = idContext === undefined ? {} : { idContext }
  return { ...MASTER, masterSecret, clientId, senderId: recipient, recipientId: sender, ...more }
}

function octets(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** A message from the gateway, opened. */
export interface Opened {
  readonly code: string
  readonly text: string
  readonly observe: number | undefined
  readonly outer: CoapMessage
  readonly inner: CoapMessage | undefined
}

export class SecureDevice {
  readonly context: SecurityContext
  peer: TestPeer
  readonly #bindings = new Map<string, RequestBinding>()
  readonly #delimited: boolean
  #messageId = 5000
  #token = 0

  /** `delimited`: on a WebSocket connection. RFC 8323 4 */
  constructor(gateway: TestGateway, ids: Ids = {}, address = '10.0.0.1', delimited = false) {
    const { sender = '', recipient = '01', idContext, masterSecret = MASTER.masterSecret } = ids
    const input = {
      masterSecret: octets(masterSecret),
      masterSalt: octets(MASTER.masterSalt),
      senderId: octets(sender),
      recipientId: octets(recipient),
      idContext: idContext === undefined ? undefined : octets(idContext),
    }
    this.context = new SecurityContext(input, systemCrypto)
    this.#delimited = delimited
    this.peer = gateway.connect({ datagram: !delimited, delimited, address })
    if (delimited) this.#transmit(csm(100_000, 8))
  }

  /** Goes on with another gateway, or from another address. */
  moveTo(gateway: TestGateway, address = '10.0.0.1'): void {
    this.peer = gateway.connect({ datagram: true, address })
  }

  /** Sends a protected request; its bytes. `outer`: options that are not protected. */
  send(ask: Ask, outer: readonly Option[] = []): Uint8Array {
    const {
      type = CON,
      code,
      uri,
      payload,
      token = this.#nextToken(),
      messageId = this.#messageId++,
      observe,
      options = [],
    } = ask
    const own = [...uriOptions(uri), ...options, ...(observe === undefined ? [] : [uintOption(OBSERVE, observe)])]
    const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    const made = protectRequest(this.context, { code, options: own, payload: body }) ?? assert.fail('no numbers left')
    this.#bindings.set(token, made.binding)
    const { message } = made
    const bytes = serialize(type, message.code, messageId, token, [...(message.options ?? []), ...outer], message.payload)
    this.#transmit(bytes)
    return bytes
  }

  ask(ask: Ask): Opened {
    this.send(ask)
    return this.one()
  }

  /** Sends a request from the same address without protection: as this device would, or somebody in its place. */
  plain(ask: Ask): Opened {
    const { type = CON, code, uri, payload = '', token = this.#nextToken(), observe, options = [] } = ask
    const own = [...uriOptions(uri), ...options, ...(observe === undefined ? [] : [uintOption(OBSERVE, observe)])]
    const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    this.#transmit(serialize(type, code, this.#messageId++, token, own, body))
    return this.one()
  }

  /** Everything that arrived since the last look; what is Confirmable is acknowledged. */
  got(): Opened[] {
    return this.#datagrams().map((bytes) => {
      const { message } = read(bytes)
      if (message.type === CON && !this.#delimited) this.peer.send(serializeEmpty(ACK, message.messageId))
      const binding = this.#bindings.get(message.token)
      const isProtected = message.options.has(OSCORE)
      const inner = isProtected && binding !== undefined ? unprotectResponse(binding, message) : undefined
      if (isProtected && inner === undefined) assert.fail('the gateway sent what is not genuine')
      const seen = inner ?? message
      return {
        code: codeText(seen.code),
        text: new TextDecoder().decode(seen.payload),
        observe: seen.options.uint(OBSERVE),
        outer: message,
        inner,
      }
    })
  }

  one(): Opened {
    const all = this.got()
    assert.equal(all.length, 1, all.map(({ code, text }) => `${code} ${text}`).join(', ') || 'nothing came')
    return all[0] as Opened
  }

  #transmit(datagram: Uint8Array): void {
    this.peer.send(this.#delimited ? frameOf(datagram, true) : datagram)
  }

  /** What arrived, without signals. */
  #datagrams(): Uint8Array[] {
    const arrived = this.peer.take()
    if (!this.#delimited) return arrived
    return arrived.flatMap((frame) => {
      const datagram = datagramOf(frame, true)
      if (isMalformed(datagram)) assert.fail(datagram.malformed)
      return isSignalling(datagram[1] as number) ? [] : [datagram]
    })
  }

  #nextToken(): string {
    return String.fromCharCode(0xb0, this.#token++ & 0xff)
  }
}

/** Worlds one after the other on one directory: what the gateway noted is there in the next one. */
export class SecureHistory {
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'omnigate-oscore-'))
  #accounts: readonly object[]
  readonly #config: object
  #world: World | undefined = undefined
  #gateway: TestGateway | undefined = undefined

  constructor(t: TestContext, accounts: readonly object[] = [account('d1')], config: object = {}) {
    this.#accounts = accounts
    this.#config = config
    t.after(() => {
      this.#world?.close()
      rmSync(this.#dataDir, { recursive: true })
    })
  }

  async start(options: WorldOptions = {}, accounts = this.#accounts): Promise<{ world: World; gateway: TestGateway }> {
    this.#world?.close()
    this.#accounts = accounts
    const world = new World({ ...options, dataDir: this.#dataDir })
    const gateway = await world.gateway(coap, { ...this.#config, oscore: this.#accounts })
    this.#world = world
    this.#gateway = gateway
    return { world, gateway }
  }

  /** The process ends as it should. */
  async stop(): Promise<void> {
    await this.#gateway?.close()
  }
}
