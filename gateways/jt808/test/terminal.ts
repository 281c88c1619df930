/** A terminal in the test world: composes frames, sends them, and reads what the platform sends. */
import assert from 'node:assert/strict'
import { isMalformed } from '#sdk'
import type { TestGateway, TestPeer } from '#testing'
import type { Location } from '../codec/bodies/location.ts'
import type { Register } from '../codec/bodies/register.ts'
import { type Draft, decode, encode, type Header, type HeaderForm, type Message, messageId, type Of } from '../codec/index.ts'

export const HERE: Location = {
  alarm: 0,
  status: 3,
  latitude: 31_230_416,
  longitude: 121_473_701,
  altitude: 12,
  speed: 614,
  direction: 178,
  time: '261122160000',
  extras: new Uint8Array(0),
}

const VEHICLE: Register = {
  province: 31,
  city: 115,
  manufacturer: '70111',
  model: 'MODEL-A',
  dev_id: 'ID00001',
  color: 1,
  license_number: '沪B12345',
  edition: '2013',
}

export class Terminal {
  readonly phone: string
  readonly form: HeaderForm
  peer: TestPeer
  #sn = 0

  constructor(peer: TestPeer, phone = '013812345678', form: HeaderForm = phone.length === 20 ? '2019' : '2013') {
    this.peer = peer
    this.phone = phone
    this.form = form
  }

  /** A terminal that has authenticated, with nothing left to read. */
  static online(gateway: TestGateway, phone?: string, peer: Parameters<TestGateway['connect']>[0] = {}): Terminal {
    const terminal = new Terminal(gateway.connect(peer), phone)
    terminal.send(terminal.authenticate('any'))
    assert.deepEqual(terminal.results(), [[0x0102, 0]])
    return terminal
  }

  header(id: number, more: Partial<Header> = {}): Header {
    return {
      id,
      length: 0,
      form: this.form,
      protocol: this.form === '2019' ? 1 : 0,
      phone: this.phone,
      sn: this.#sn++,
      encryption: 0,
      reserved: 0,
      part: undefined,
      ...more,
    }
  }

  frame(draft: Draft, more: Partial<Header> = {}): Uint8Array {
    return encode({ ...draft, header: this.header(messageId(draft), more) } as Message)
  }

  /** A frame whose body is octets. */
  raw(id: number, body: Uint8Array = new Uint8Array(0), more: Partial<Header> = {}): Uint8Array {
    return encode({ type: 'opaque', why: 'unknown', body, header: this.header(id, more) })
  }

  register(more: Partial<Register> = {}): Uint8Array {
    return this.frame({ type: 'register', body: { ...VEHICLE, edition: this.form, ...more } })
  }

  authenticate(code: string): Uint8Array {
    const details = { imei: '123456789012345', software_version: 'V1.0.0', extra_raw: undefined }
    return this.frame({ type: 'authenticate', body: { code, details: this.form === '2019' ? details : undefined } })
  }

  location(more: Partial<Location> = {}): Uint8Array {
    return this.frame({ type: 'location', body: { ...HERE, ...more } })
  }

  heartbeat(): Uint8Array {
    return this.frame({ type: 'heartbeat', body: { extra_raw: undefined } })
  }

  deregister(): Uint8Array {
    return this.frame({ type: 'deregister', body: { extra_raw: undefined } })
  }

  /** The general response to a frame of the platform. */
  answer(to: Message, result: number): Uint8Array {
    const body = { seq: to.header.sn, id: to.header.id, result, extra_raw: undefined }
    return this.frame({ type: 'terminal-response', body })
  }

  send(...frames: Uint8Array[]): void {
    for (const frame of frames) this.peer.send(frame)
  }

  /** What the platform sent since the last read, decoded. */
  read(): Message[] {
    return this.peer.take().map((bytes) => {
      const message = decode(bytes)
      assert.ok(!isMalformed(message), JSON.stringify(message))
      assert.equal(message.header.phone, this.phone)
      assert.equal(message.header.form, this.form)
      return message
    })
  }

  /** Message id and result of each general response; anything else fails the test. */
  results(): [number, number][] {
    return this.read().map((message) => {
      assert.equal(message.type, 'platform-response')
      const { id, result } = (message as Of<'platform-response'>).body
      return [id, result]
    })
  }

  /** The one message that the platform sent. */
  one<T extends Draft['type']>(type: T): Of<T> {
    const messages = this.read()
    assert.equal(messages.length, 1)
    assert.equal(messages[0]?.type, type)
    return messages[0] as Of<T>
  }
}
