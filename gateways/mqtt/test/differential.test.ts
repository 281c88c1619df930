/**
 * What is read and written by hand (PUBLISH and its acknowledgements) against mqtt-packet: the same fields, or both
 * refuse. Where mqtt-packet takes what the standard forbids, the fault stands in `FORBIDDEN`, each with its proof.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Packet } from 'mqtt-packet'
import { generate, parser } from 'mqtt-packet'
import type { Properties, QoS } from '#sdk'
import { Message } from '#sdk'
import { unhex } from '#testing'
import { acknowledgementFault, PUBACK, PUBCOMP, PUBREC, PUBREL, sendAck, sendAckReason } from '../codec/acks.ts'
import { PacketFramer } from '../codec/framer.ts'
import { IncomingPublish } from '../codec/incoming-publish.ts'
import { OutgoingAliases } from '../codec/outgoing-aliases.ts'
import { sendPublishV3, sendPublishV5, V3_NUMBERED, V5_NUMBERED } from '../codec/publish.ts'

type Version = 4 | 5
type Fields = Readonly<Record<string, unknown>>
type Reading = { readonly fields: Fields } | { readonly fault: string }

const SEED = 20_261_122
const RUNS = 1000
const LARGEST = 268_435_460
const ACKS = ['puback', 'pubrec', 'pubrel', 'pubcomp']

/** What the standard forbids and mqtt-packet lets pass: the version that says so, and a packet. */
const FORBIDDEN: Readonly<Record<string, readonly [version: Version, hex: string]>> = {
  flags: [4, '3804 0001 74 78'], // [MQTT-3.3.1-2]
  'packet-identifier-0': [4, '3205 0001 74 0000'], // [MQTT-2.3.1-1]
  'property-length': [5, '3006 0001 74 8000 78'], // [MQTT-1.5.5-1]
  'property-not-allowed': [5, '3007 0001 74 03 21 0001'], // section 2.2.2.2
  'property-of-server': [5, '3006 0001 74 02 0b 01'], // [MQTT-3.3.4-6]
  'property-repeated': [5, '3008 0001 74 04 01 01 01 01'], // section 3.3.2.3.2
  'property-truncated': [5, '3009 0001 74 03 02 0000 0000'], // section 2.2.2.2
  'property-value': [5, '3006 0001 74 02 01 02'], // section 3.3.2.3.2
  'remaining-length-not-minimal': [4, '308480 00 0001 74 78'], // [MQTT-1.5.5-1]
  'response-topic': [5, '3008 0001 74 04 08 0001 2b'], // [MQTT-3.3.2-14]
  surplus: [4, '4003 0001 00'], // section 3.4
  'topic-missing': [5, '3003 0000 00'], // section 3.3.2.1
  'topic-name': [4, '3004 0002 742b'], // [MQTT-3.3.2-2]
  truncated: [4, '4001 00'], // section 3.4.2
  'utf-8': [4, '3004 0002 c0af'], // [MQTT-1.5.3-1]
}

// ---- reading ---------------------------------------------------------------------------------------------------------

/** The first packet of `bytes`, by hand; what stands behind it is a fault. */
function byHand(bytes: Uint8Array, version: Version): Reading {
  let reading: Reading = { fault: 'incomplete' }
  const framer = new PacketFramer(LARGEST)
  framer.push(bytes, {
    packet: (chunk, start, body, end) => {
      reading = readByHand(chunk, start, body, end, version)
      if ('fields' in reading && end < chunk.length) reading = { fault: 'more' }
      return false
    },
    malformed: (error) => {
      reading = { fault: error.malformed }
    },
  })
  return reading
}

function readByHand(bytes: Uint8Array, start: number, body: number, end: number, version: Version): Reading {
  const type = (bytes[start] as number) >> 4
  if (type !== 3) {
    const fault = acknowledgementFault(bytes, start, body, end, version === 5)
    if (fault !== undefined) return { fault }
    const messageId = ((bytes[body] as number) << 8) | (bytes[body + 1] as number)
    return { fields: { cmd: ACKS[type - 4], messageId, reasonCode: end - body > 2 ? bytes[body + 2] : 0 } }
  }
  const packet = new IncomingPublish()
  const fault = packet.read(bytes, start, body, end, version === 5)
  if (fault !== undefined) return { fault }
  const { topic, qos, retain, id, payload, expirySeconds, topicAlias, properties } = packet
  return {
    fields: {
      cmd: 'publish',
      topic,
      qos,
      retain,
      dup: ((bytes[start] as number) & 8) !== 0,
      messageId: id,
      payload: Buffer.from(bytes.subarray(payload, end)).toString('hex'),
      ...propertyFields({ ...properties, expirySeconds, topicAlias }),
    },
  }
}

function propertyFields(
  given: Properties & { readonly expirySeconds?: number | undefined; readonly topicAlias?: number | undefined },
): Fields {
  const names = new Map<string, string[]>()
  for (const [name, value] of given.userProperties ?? []) names.set(name, [...(names.get(name) ?? []), value])
  return {
    utf8: given.utf8,
    expirySeconds: given.expirySeconds,
    topicAlias: given.topicAlias,
    contentType: given.contentType,
    responseTopic: given.responseTopic,
    correlationData: given.correlationData && Buffer.from(given.correlationData).toString('hex'),
    userProperties: Object.fromEntries(names),
  }
}

function byLibrary(bytes: Uint8Array, version: Version): Reading {
  const packets: Packet[] = []
  let fault: string | undefined
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (packet) => void packets.push(packet))
  reader.on('error', (error) => {
    fault = String(error)
  })
  try {
    if (reader.parse(Buffer.from(bytes)) > 0 || packets.length > 1) fault ??= 'more'
  } catch (error) {
    fault = String(error)
  }
  const [packet] = packets
  if (fault !== undefined || packet === undefined) return { fault: fault ?? 'incomplete' }
  if (packet.cmd !== 'publish') {
    const { cmd, messageId, reasonCode = 0 } = packet as { cmd: string; messageId: number; reasonCode?: number }
    return { fields: { cmd, messageId, reasonCode } }
  }
  const { topic, qos, retain, dup, messageId = 0, payload, properties = {} } = packet
  const { payloadFormatIndicator: utf8, messageExpiryInterval: expirySeconds, userProperties, ...rest } = properties
  const pairs = Object.entries(userProperties ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  )
  return {
    fields: {
      cmd: 'publish',
      topic,
      qos,
      retain,
      dup,
      messageId,
      payload: Buffer.from(payload).toString('hex'),
      ...propertyFields({ ...rest, utf8, expirySeconds, userProperties: pairs } as Parameters<typeof propertyFields>[0]),
    },
  }
}

// ---- what is written -------------------------------------------------------------------------------------------------

/** An object of names cannot hold this one, so mqtt-packet loses it. */
const name = fc.string({ minLength: 1, maxLength: 6 }).filter((text) => text !== '__proto__' && !text.includes('\0'))
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'))
const topic = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }).filter((value) => !/[+#\0]/.test(value))
const octets = fc.uint8Array({ maxLength: 300 })
const id = fc.integer({ min: 1, max: 65535 })
const qos = fc.constantFrom<QoS>(0, 1, 2)

const properties: fc.Arbitrary<Properties> = fc.record(
  {
    utf8: fc.boolean(),
    contentType: text,
    responseTopic: topic,
    correlationData: fc.uint8Array({ maxLength: 20 }),
    userProperties: fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 5 }),
  },
  { requiredKeys: [] },
)

const publish: fc.Arbitrary<Packet> = fc
  .record({ topic, qos, payload: octets, retain: fc.boolean(), dup: fc.boolean(), id, properties, alias: id, expiry: fc.nat() })
  .map(({ dup, payload, id: messageId, properties: given, alias, expiry, ...packet }) => {
    const { utf8, userProperties, correlationData, ...rest } = given
    return {
      cmd: 'publish',
      ...packet,
      payload: Buffer.from(payload),
      dup: packet.qos > 0 && dup,
      messageId,
      properties: {
        ...rest,
        ...(utf8 !== undefined && { payloadFormatIndicator: utf8 }),
        ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) }),
        ...(alias % 3 === 0 && { topicAlias: alias }),
        ...(expiry % 2 === 0 && { messageExpiryInterval: expiry }),
        ...(userProperties !== undefined && { userProperties: propertyFields(given)['userProperties'] }),
      },
    } as Packet
  })

const acknowledgement: fc.Arbitrary<Packet> = fc
  .record({ cmd: fc.constantFrom(...ACKS), messageId: id, refused: fc.boolean(), reasonString: fc.option(text) })
  .map(({ cmd, messageId, refused, reasonString }) => {
    const reasonCode = !refused ? 0 : cmd === 'puback' || cmd === 'pubrec' ? 0x87 : 0x92
    return { cmd, messageId, reasonCode, ...(reasonString !== null && { properties: { reasonString } }) } as Packet
  })

interface Sample {
  readonly version: Version
  readonly bytes: Buffer
}

const sound: fc.Arbitrary<Sample> = fc
  .tuple(fc.oneof(publish, acknowledgement), fc.constantFrom<Version>(4, 5))
  .map(([packet, version]) => ({ version, bytes: generate(packet, { protocolVersion: version }) }))

const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 2, 0x0b, 0x23, 0x26, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })))
const damaged: fc.Arbitrary<Sample> = fc
  .tuple(sound, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([{ version, bytes }, changes]) => {
    const copy = Buffer.from(bytes)
    // The type stays: other packets are not read by hand.
    for (const [at, value] of changes) {
      const place = at % copy.length
      copy[place] = place === 0 ? ((copy[0] as number) & 0xf0) | (value & 0x0f) : value
    }
    return { version, bytes: copy }
  })

// ---- the properties --------------------------------------------------------------------------------------------------

test('what mqtt-packet writes is read by hand as by mqtt-packet', () => {
  const property = fc.property(sound, ({ version, bytes }) => {
    const ours = byHand(bytes, version)
    assert.ok('fields' in ours, `refused: ${JSON.stringify(ours)}`)
    assert.deepEqual(ours, byLibrary(bytes, version))
  })
  fc.assert(property, { seed: SEED, numRuns: RUNS })
})

test('what is damaged is refused by both, or read alike, or forbidden by the standard', () => {
  const property = fc.property(damaged, ({ version, bytes }) => {
    const ours = byHand(bytes, version)
    const theirs = byLibrary(bytes, version)
    if ('fields' in ours) assert.deepEqual(ours, theirs)
    else if ('fields' in theirs) assert.ok(ours.fault in FORBIDDEN, `${ours.fault} is refused by hand alone`)
  })
  fc.assert(property, { seed: SEED, numRuns: RUNS * 5 })
})

for (const [fault, [version, hex]] of Object.entries(FORBIDDEN)) {
  test(`${fault}: mqtt-packet takes what the standard forbids`, () => {
    assert.deepEqual(byHand(unhex(hex), version), { fault })
    assert.ok('fields' in byLibrary(unhex(hex), version))
  })
}

/** Collects what is sent. */
class Sink {
  readonly packets: Buffer[] = []
  send(bytes: Uint8Array, start: number, end: number): void {
    this.packets.push(Buffer.from(bytes.subarray(start, end)))
  }
}

const delivery = fc.record({
  id,
  qos,
  retain: fc.boolean(),
  dup: fc.boolean(),
  ids: fc.option(fc.array(id, { minLength: 1, maxLength: 3 })),
})

test('what is written by hand is read by mqtt-packet: whole, from a template, with and without an alias', () => {
  const alias = fc.boolean()
  const copies = fc.array(delivery, { minLength: 1, maxLength: 4 })
  const property = fc.property(topic, octets, properties, copies, fc.constantFrom<Version>(4, 5), alias, (...given) => {
    const [name, payload, application, deliveries, version, takesAliases] = given
    const message = new Message(name, payload, 2, false, Object.keys(application).length === 0 ? undefined : application)
    const aliases = takesAliases && version === 5 ? new OutgoingAliases(1) : undefined
    let known = false
    for (const { id: slot, qos: granted, retain, dup, ids } of deliveries) {
      const sink = new Sink()
      const one = {
        message,
        id: granted === 0 ? 0 : slot,
        qos: granted,
        retain,
        dup: dup && granted > 0,
        released: false,
        subscriptionIds: ids ?? undefined,
      }
      if (version === 4) sendPublishV3(one, sink)
      else assert.ok(sendPublishV5(one, sink, 0, Number.POSITIVE_INFINITY, aliases))
      const reading = byLibrary(sink.packets[0] as Buffer, version)
      assert.ok('fields' in reading, JSON.stringify(reading))
      const { fields } = reading
      const isShort: boolean = known && aliases !== undefined
      const wanted: Fields = {
        cmd: 'publish',
        topic: isShort ? '' : name,
        qos: granted,
        retain,
        dup: one.dup,
        messageId: one.id,
        payload: Buffer.from(payload).toString('hex'),
        ...propertyFields(version === 5 ? { ...application, topicAlias: fields['topicAlias'] as number | undefined } : {}),
      }
      assert.deepEqual(fields, wanted)
      assert.equal(fields['topicAlias'], aliases === undefined || name.length <= 3 ? undefined : 1)
      known = fields['topicAlias'] !== undefined
    }
  })
  fc.assert(property, { seed: SEED, numRuns: RUNS })
})

test('a packet that came in goes on under another identifier, QoS and DUP, and is otherwise the same', () => {
  const property = fc.property(
    publish,
    id,
    fc.constantFrom<Version>(4, 5),
    fc.constantFrom<QoS>(1, 2),
    fc.boolean(),
    (...given) => {
      const [packet, slot, version, granted, dup] = given
      const bare = { ...packet, qos: 2, retain: false } as Packet & { properties: Record<string, unknown> }
      const { topicAlias: _, messageExpiryInterval: __, ...kept } = bare.properties
      const bytes = generate({ ...bare, properties: kept } as Packet, { protocolVersion: version })
      const incoming = byHand(bytes, version)
      assert.ok('fields' in incoming)
      const message = new Message(incoming.fields['topic'] as string, Buffer.alloc(0), 2)
      message.setForm(version === 4 ? V3_NUMBERED : V5_NUMBERED, bytes, 0, bytes.length)
      const sink = new Sink()
      const one = { message, id: slot, qos: granted, retain: false, dup, released: false, subscriptionIds: undefined }
      if (version === 4) sendPublishV3(one, sink)
      else sendPublishV5(one, sink, 0, Number.POSITIVE_INFINITY, undefined)
      const outgoing = byLibrary(sink.packets[0] as Buffer, version)
      assert.deepEqual(outgoing, { fields: { ...incoming.fields, qos: granted, dup, messageId: slot } })
    },
  )
  fc.assert(property, { seed: SEED, numRuns: RUNS })
})

test('acknowledgements written by hand are read by mqtt-packet', () => {
  for (const [index, first] of [PUBACK, PUBREC, PUBREL, PUBCOMP].entries()) {
    for (const messageId of [1, 255, 256, 65535]) {
      const sink = new Sink()
      sendAck(first, messageId, sink)
      sendAckReason(first, messageId, 0x92, sink)
      const [plain, refusal] = sink.packets as [Buffer, Buffer]
      for (const version of [4, 5] as const)
        assert.deepEqual(byLibrary(plain, version), { fields: { cmd: ACKS[index], messageId, reasonCode: 0 } })
      if (first !== PUBACK && first !== PUBREC)
        assert.deepEqual(byLibrary(refusal, 5), { fields: { cmd: ACKS[index], messageId, reasonCode: 0x92 } })
    }
  }
})
