/** Protection encapsulation (MQTT-SN 2.0) against a sender that has only Node.js and the text of the draft. */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { hex, unhex } from '#testing'
import { printPacketText, readPacketText } from '../codec/v2/notation.ts'
import { config as schema } from '../config.ts'
import { type Device2, type Stage, stage } from './v2-device.ts'

const SENDER = '0011223344556677'
const HEADER_BYTES = 20

interface Scheme {
  readonly id: number
  readonly name: string
  readonly cipher: string | undefined
  readonly keyBytes: number
  readonly tagBytes: number
  readonly nonceBytes: number
}

const SCHEMES: readonly Scheme[] = [
  { id: 0x00, name: 'hmac-sha256', cipher: undefined, keyBytes: 20, tagBytes: 32, nonceBytes: 0 },
  { id: 0x40, name: 'aes-ccm-64-128', cipher: 'aes-128-ccm', keyBytes: 16, tagBytes: 8, nonceBytes: 13 },
  { id: 0x45, name: 'aes-ccm-128-256', cipher: 'aes-256-ccm', keyBytes: 32, tagBytes: 16, nonceBytes: 13 },
  { id: 0x46, name: 'aes-gcm-128-128', cipher: 'aes-128-gcm', keyBytes: 16, tagBytes: 16, nonceBytes: 12 },
  { id: 0x48, name: 'aes-gcm-128-256', cipher: 'aes-256-gcm', keyBytes: 32, tagBytes: 16, nonceBytes: 12 },
  { id: 0x49, name: 'chacha20-poly1305', cipher: 'chacha20-poly1305', keyBytes: 32, tagBytes: 16, nonceBytes: 12 },
]

/** One who shares a key with the gateway. */
class Sender {
  readonly scheme: Scheme
  readonly key: Buffer
  readonly #id: string
  counter = 0

  constructor(scheme: Scheme, id = SENDER) {
    this.scheme = scheme
    this.key = Buffer.alloc(scheme.keyBytes, 7)
    this.#id = id
  }

  get config(): object {
    return { senderId: this.#id, scheme: this.scheme.name, psk: this.key.toString('hex') }
  }

  seal(text: string, tagCode = 1): Buffer {
    const packet = readPacketText(text)
    const tagBytes = tagCode === 1 ? this.scheme.tagBytes : tagCode * 2
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(++this.counter)
    const total = HEADER_BYTES + packet.length + tagBytes
    const fields = Buffer.from([(tagCode << 4) | 2, this.scheme.id])
    const header = Buffer.concat([Buffer.from([total, 0xff]), fields, unhex(this.#id), unhex('a1a2a3a4'), counter])
    assert.equal(header.length, HEADER_BYTES)
    if (this.scheme.cipher === undefined) {
      const tag = createHmac('sha256', this.key).update(header).update(packet).digest().subarray(0, tagBytes)
      return Buffer.concat([header, packet, tag])
    }
    const cipher = createCipheriv(this.scheme.cipher as 'aes-128-ccm', this.key, this.#nonce(header), { authTagLength: tagBytes })
    cipher.setAAD(header, { plaintextLength: packet.length })
    return Buffer.concat([header, cipher.update(packet), cipher.final(), cipher.getAuthTag()])
  }

  open(datagram: Uint8Array, tagBytes = this.scheme.tagBytes): string {
    const header = datagram.subarray(0, HEADER_BYTES)
    assert.equal(hex(header.subarray(1, 2)), 'ff')
    const sealed = datagram.subarray(HEADER_BYTES, datagram.length - tagBytes)
    const tag = datagram.subarray(datagram.length - tagBytes)
    if (this.scheme.cipher === undefined) {
      const expected = createHmac('sha256', this.key).update(header).update(sealed).digest().subarray(0, tagBytes)
      assert.equal(hex(tag), hex(expected))
      return printPacketText(sealed)
    }
    const decipher = createDecipheriv(this.scheme.cipher as 'aes-128-ccm', this.key, this.#nonce(header), {
      authTagLength: tagBytes,
    })
    decipher.setAuthTag(tag)
    decipher.setAAD(header, { plaintextLength: sealed.length })
    return printPacketText(Buffer.concat([decipher.update(sealed), decipher.final()]))
  }

  #nonce(header: Uint8Array): Uint8Array {
    return createHash('sha256').update(header).digest().subarray(0, this.scheme.nonceBytes)
  }
}

const CONNECT = 'CONNECT protocol=2 clientId=meter packetId=1 keepAlive=60'

function opened(device: Device2, sender: Sender, tagBytes?: number): string[] {
  return device.peer.take().map((datagram) => sender.open(datagram, tagBytes))
}

function guarded(sender: Sender, more: object = {}): Promise<Stage> {
  return stage({ protection: { keys: [sender.config], ...more } })
}

for (const scheme of SCHEMES) {
  test(`${scheme.name}: both directions are protected, and each packet from the gateway has a counter of its own`, async () => {
    const sender = new Sender(scheme)
    const { device } = await guarded(sender)
    const sensor = device()
    sensor.peer.send(sender.seal(CONNECT))
    sensor.peer.send(sender.seal('PINGREQ packetId=2'))
    const answers = sensor.peer.take()
    assert.deepEqual(
      answers.map((datagram) => sender.open(datagram)),
      ['CONNACK packetId=1 reason=0', 'PINGRESP packetId=2'],
    )
    const counters = answers.map((datagram) => Buffer.from(datagram).readUInt32BE(16))
    assert.ok((counters[1] ?? 0) > (counters[0] ?? 0))
  })
}

test('a shorter tag, where only a tag protects', async () => {
  const sender = new Sender(SCHEMES[0] as Scheme)
  const { device } = await guarded(sender)
  const sensor = device()
  sensor.peer.send(sender.seal(CONNECT, 4))
  assert.deepEqual(opened(sensor, sender, 8), ['CONNACK packetId=1 reason=0'])
  const aead = new Sender(SCHEMES[1] as Scheme)
  const other = await guarded(aead)
  const refused = other.device()
  refused.peer.send(aead.seal(CONNECT, 4))
  assert.deepEqual(refused.take(), ['DISCONNECT reason=231'])
})

test('every flipped bit is forged: counted, not answered', async () => {
  for (const scheme of SCHEMES.slice(0, 4)) {
    const sender = new Sender(scheme)
    const { device, world } = await guarded(sender)
    const datagram = sender.seal(CONNECT)
    const [first, last] = [HEADER_BYTES - 8, datagram.length - 1]
    for (let at = first; at <= last; at++) {
      const forged = Buffer.from(datagram)
      forged[at] = (forged[at] as number) ^ 1
      assert.deepEqual(device().exchange(forged), [])
    }
    assert.equal(world.counters().get('protection-forged'), last - first + 1)
    assert.equal(world.core.client('meter'), undefined)
  }
})

test('a recording is replayed in vain; a counter is insisted on, unless configured', async () => {
  const sender = new Sender(SCHEMES[2] as Scheme)
  const { device, world } = await guarded(sender)
  const sensor = device()
  sensor.peer.send(sender.seal(CONNECT))
  const ping = sender.seal('PINGREQ packetId=2')
  sensor.peer.send(ping)
  assert.equal(opened(sensor, sender).length, 2)
  sensor.peer.send(ping)
  assert.deepEqual(device('10.0.0.9').exchange(ping), [])
  assert.deepEqual(sensor.peer.take(), [])
  assert.equal(world.counters().get('protection-replayed'), 2)
})

test('an unknown sender, another scheme, and a gateway without keys', async () => {
  const sender = new Sender(SCHEMES[1] as Scheme)
  const { device, world } = await guarded(sender)
  assert.deepEqual(
    device()
      .exchange(new Sender(SCHEMES[1] as Scheme, 'ffffffffffffffff').seal(CONNECT))
      .map(printPacketText),
    ['DISCONNECT reason=232'],
  )
  assert.deepEqual(
    device()
      .exchange(new Sender(SCHEMES[3] as Scheme).seal(CONNECT))
      .map(printPacketText),
    ['DISCONNECT reason=231'],
  )
  const open = await stage()
  assert.deepEqual(open.device().exchange(sender.seal(CONNECT)).map(printPacketText), ['DISCONNECT reason=242'])
  assert.equal(world.counters().get('protection-refused'), 2)
})

test('a session that was protected stays so; where it is required nothing else is heard', async () => {
  const sender = new Sender(SCHEMES[1] as Scheme)
  const { device, world } = await guarded(sender)
  const sensor = device()
  sensor.peer.send(sender.seal(CONNECT))
  opened(sensor, sender)
  sensor.ask('PUBLISH topic=a "forged"', 'DISCONNECT reason=230')
  device('10.0.0.2').ask(CONNECT, 'DISCONNECT reason=230')
  assert.equal(world.core.client('meter')?.connected, true)
  device('10.0.0.3').join('open')
  const strict = await guarded(sender, { required: true })
  strict.device().ask(CONNECT, 'DISCONNECT reason=230')
})

test('a protected session that is offline is resumed by its key alone', async () => {
  const sender = new Sender(SCHEMES[1] as Scheme)
  const { device, world } = await guarded(sender)
  const sensor = device()
  sensor.peer.send(sender.seal(`${CONNECT} expiry=600`))
  sensor.peer.send(sender.seal('DISCONNECT'))
  assert.equal(opened(sensor, sender).length, 1)
  device().ask(`${CONNECT} expiry=600 willTopic=a willPayload=forged`, 'CONNACK packetId=1 reason=230')
  const again = device()
  again.peer.send(sender.seal(`${CONNECT} expiry=600`))
  assert.deepEqual(opened(again, sender), ['CONNACK sessionPresent packetId=1 reason=0'])
  assert.equal(world.core.client('meter')?.connected, true)
})

test('a forwarder carries what is protected, and not the other way round', async () => {
  const sender = new Sender(SCHEMES[1] as Scheme)
  const { device, world } = await guarded(sender)
  const forwarder = device()
  const inner = sender.seal(CONNECT)
  forwarder.peer.send(Buffer.concat([Buffer.from([inner.length + 5, 0xfc, 2, 0x0a, 0x0b]), inner]))
  const [answer] = forwarder.peer.take()
  assert.equal(hex(answer?.subarray(1, 5) ?? new Uint8Array(0)), 'fc020a0b')
  assert.equal(sender.open(answer?.subarray(5) as Uint8Array), 'CONNACK packetId=1 reason=0')
  const wrong = device('10.0.0.7')
  wrong.peer.send(sender.seal('FORWARDER node=01 | PINGREQ packetId=1'))
  assert.deepEqual(wrong.peer.take(), [])
  assert.equal(world.malformed().get('nested-forwarder'), 1)
})

test('keys have the length of their scheme', () => {
  const key = { senderId: SENDER, scheme: 'aes-gcm-128-256', psk: '07'.repeat(16) }
  assert.equal(schema.safeParse({ protection: { keys: [key] } }).success, false)
  assert.equal(schema.safeParse({ protection: { keys: [{ ...key, psk: '07'.repeat(32) }] } }).success, true)
  assert.equal(
    schema.safeParse({ protection: { keys: [{ ...key, scheme: 'hmac-sha256', psk: '07'.repeat(40) }] } }).success,
    true,
  )
})
