/** The codec of version 2.0: every packet there and back, hostile octets, and which version a datagram is of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isMalformed } from '#sdk'
import { hex, unhex } from '#testing'
import { notation } from '../codec/notation.ts'
import { decodePacket, encodePacket, type Packet, PacketType, versionOf } from '../codec/v2/index.ts'
import { printPacketText, readPacketText } from '../codec/v2/notation.ts'
import { vectors } from './vectors.ts'

const all = vectors('wire2')
const PLAIN = { noNullPrototype: true }
const octet = fc.nat(255)
const word = fc.nat(0xffff)
const long = fc.nat(0xffffffff)
const name = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0'))
const bytes = fc.uint8Array({ maxLength: 40 })
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)
const flag = fc.boolean()
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const topicRef = fc.oneof(
  word.map((alias) => ({ topicKind: 0 as const, alias, topic: '' })),
  word.map((alias) => ({ topicKind: 1 as const, alias, topic: '' })),
  name.map((topic) => ({ topicKind: 3 as const, alias: 0, topic })),
)
const auth = fc.record({ method: name, data: bytes }, PLAIN)
const will = fc.tuple(topicRef, fc.record({ qos, retain: flag, payload: bytes })).map(([topic, rest]) => ({ ...topic, ...rest }))

function record(type: string, fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Packet> {
  return fc.record({ type: fc.constant(type), ...fields }, PLAIN) as unknown as fc.Arbitrary<Packet>
}

function withTopic(type: string, fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Packet> {
  return fc.tuple(record(type, fields), topicRef).map(([packet, topic]) => ({ ...packet, ...topic }) as Packet)
}

const flat: fc.Arbitrary<Packet>[] = [
  record('connect', {
    cleanStart: flag,
    allowAddressChange: flag,
    allowServerValues: flag,
    packetId: word,
    protocolVersion: octet,
    keepAlive: word,
    maxPacketSize: word,
    awakeMessages: optional(octet),
    sessionExpiry: optional(long),
    will: optional(will),
    auth: optional(auth),
    clientId: name,
  }),
  record('connack', {
    sessionPresent: flag,
    packetId: word,
    reason: octet,
    sessionExpiry: optional(long),
    keepAlive: optional(word),
    auth: optional(auth),
    clientId: name,
  }),
  record('auth', { packetId: word, reason: octet, method: name, data: bytes }),
  record('register', { packetId: word, alias: optional(word), topic: name }),
  ...['regack', 'suback'].map((type) =>
    record(type, { packetId: word, topicKind: fc.constantFrom(0, 1, 3), alias: optional(word), reason: octet }),
  ),
  withTopic('publish', { dup: flag, qos, retain: flag, packetId: word, payload: bytes }).map((packet) => {
    const publish = packet as Extract<Packet, { type: 'publish' }>
    return { ...publish, dup: publish.dup && publish.qos === 2, packetId: publish.qos === 0 ? 0 : publish.packetId }
  }),
  withTopic('pubwos', { retain: flag, payload: bytes }).filter((packet) => 'topicKind' in packet && packet.topicKind !== 0),
  ...['puback', 'pubrec', 'pubrel', 'pubcomp', 'unsuback'].map((type) => record(type, { packetId: word, reason: octet })),
  withTopic('subscribe', {
    noLocal: flag,
    qos,
    retainAsPublished: flag,
    retainHandling: fc.constantFrom(0, 1, 2),
    packetId: word,
  }),
  withTopic('unsubscribe', { packetId: word }),
  record('pingreq', { packetId: word }),
  record('pingresp', { packetId: word, remaining: optional(octet) }),
  record('disconnect', { packetId: optional(word), sessionExpiry: optional(long), reason: optional(octet), reasonString: name }),
  record('sleepreq', { retainAliases: flag, packetId: word, duration: long }),
  record('sleepresp', { packetId: word, duration: optional(long), reason: octet }),
  record('wakeup', {}),
  record('advertise', { gatewayId: octet, duration: word }),
  record('searchgw', { networkInfo: bytes }),
  record('gwinfo', { gatewayId: octet, address: bytes }),
]
const plain = fc.oneof(...flat)
const wrapped: fc.Arbitrary<Packet>[] = [
  record('forwarder', { address: fc.uint8Array({ maxLength: 255 }), packet: plain.map(encodePacket) }),
  record('connection', { clientId: name, packet: plain.map(encodePacket) }),
  record('protection', {
    scheme: octet,
    tagLength: fc.nat(15),
    senderId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    random: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    keyMaterial: fc.constantFrom(0, 2, 4, 12).map((length) => new Uint8Array(length)),
    counter: fc.constantFrom(0, 2, 4).map((length) => new Uint8Array(length)),
    sealed: bytes,
  }),
]
const any = fc.oneof(...flat, ...wrapped)

test('all packets of version 2.0 are generated below', () => {
  const types = new Set(fc.sample(any, { numRuns: 5000, seed: 7 }).map(({ type }) => type))
  assert.deepEqual([...types].sort(), Object.keys(PacketType).sort())
})

test('property: every packet of version 2.0 comes back as it was', () => {
  fc.assert(
    fc.property(any, (packet) => {
      const datagram = encodePacket(packet)
      assert.deepEqual(decodePacket(datagram), packet)
      assert.equal(datagram[0] === 1, datagram.length > 255, 'the short form wherever it is enough')
    }),
    { numRuns: 2000 },
  )
})

test('property: no octets make the codec of version 2.0 throw', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc
      .tuple(fc.constantFrom(...all.map((vector) => unhex(vector.hex))), fc.nat(), octet, fc.nat())
      .map(([vector, at, value, cut]) => {
        const copy = vector.slice(0, vector.length - (cut % 3))
        if (copy.length > 0) copy[at % copy.length] = value
        return copy
      }),
  )
  fc.assert(
    fc.property(noise, (datagram) => {
      versionOf(datagram)
      const packet = decodePacket(datagram)
      if (!isMalformed(packet)) assert.deepEqual(decodePacket(encodePacket(packet)), packet)
    }),
    { numRuns: 5000 },
  )
})

test('every vector of version 2.0 can be written, and means the same', () => {
  for (const { hex: digits, kind, canonical } of all) {
    if (kind !== 'frame' || canonical === false || /^.. ?ff/.test(digits)) continue
    assert.equal(hex(readPacketText(printPacketText(unhex(digits)))), hex(unhex(digits)))
  }
  assert.throws(() => readPacketText('PINGREQ packetId=1 colour=2'), /colour/)
  assert.throws(() => readPacketText('WHISPER'), /whisper/)
})

test('a connection is written in version 2.0 from its CONNECT on', () => {
  const { encode, decode } = notation()
  assert.equal(hex(encode('PINGREQ')), '0216')
  encode('CONNECT protocol=2 clientId=m1 packetId=1 keepAlive=60')
  assert.equal(hex(encode('PINGREQ packetId=7')), '040c0007')
  assert.equal(decode(unhex('04 0d 00 07')), 'PINGRESP packetId=7')
})

test('which version: by what only one of them can mean', () => {
  for (const [digits, version] of [
    ['08 04 04 01 00 3c 63 31', '1.2'], // CONNECT
    ['0c 01 01 00 01 02 00 3c 00 00 6d 31', '2.0'], // CONNECT
    ['01 00 0e 01 01 00 01 02 00 3c 00 00 6d 31', '2.0'], // CONNECT, long length
    ['10 01 02 17 00 01 02 00 3c 00 00 00 01 77 00 00', '2.0'], // CONNECT with a will
    ['03 01 00', '1.2'], // SEARCHGW
    ['02 17', '2.0'], // SEARCHGW
    ['08 0c 61 00 05 00 00 78', '1.2'], // PUBLISH, QoS -1
    ['07 12 03 00 01 61 78', '2.0'], // PUBWOS by name
    ['06 12 11 00 05 78', '2.0'], // PUBWOS, predefined
    ['07 12 01 00 01 00 05', '1.2'], // SUBSCRIBE, predefined
    ['08 12 20 00 04 61 2f 23', '1.2'], // SUBSCRIBE
    ['05 fe 00 0a 0b 02 16', '1.2'], // forwarder encapsulation
    ['0a fe 00 02 6d 31 04 0c 00 07', '2.0'], // connection encapsulation
    ['09 fc 02 0a 0b 04 0c 00 07', '2.0'], // forwarder encapsulation
    ['04 16 63 31', '1.2'], // PINGREQ
    ['', '1.2'],
    ['01', '1.2'],
    ['02 01', '1.2'],
  ] as const) {
    assert.equal(versionOf(unhex(digits)), version, digits)
  }
})
