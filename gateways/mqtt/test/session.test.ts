/** MQTT sessions packet by packet: 3.1.1 in full, and what 5.0 adds. Names carry the conformance statements. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IConnackPacket, IPublishPacket, Packet } from 'mqtt-packet'
import { brief, fixture } from './peer.ts'

const connackOf = (packets: readonly Packet[]): IConnackPacket => packets[0] as IConnackPacket

test('[MQTT-3.1.4-4] CONNECT is answered by CONNACK first, 3.1, 3.1.1 and 5.0', async () => {
  const { open } = await fixture()
  for (const version of [3, 4, 5] as const) {
    const peer = open(version)
    peer.connect(`v${version}`)
    const connack = connackOf(peer.take())
    assert.equal(connack.cmd, 'connack')
    assert.equal(version === 5 ? connack.reasonCode : connack.returnCode, 0)
    assert.equal(connack.sessionPresent, false)
  }
})

test('[MQTT-3.1.0-1] anything before CONNECT closes, without an answer', async () => {
  const { open, world } = await fixture()
  for (const bytes of [
    [0xc0, 0],
    [0x30, 3, 0, 1, 0x61],
    [0x82, 6, 0, 1, 0, 1, 0x61, 0],
    [0x00, 0],
  ]) {
    const peer = open()
    peer.raw(bytes)
    assert.equal(peer.peer.closed, 'protocol-error')
    assert.deepEqual(peer.take(), [])
  }
  assert.equal(world.malformed().get('connect-expected'), 4)
})

test('[MQTT-3.1.0-2] a second CONNECT closes', async () => {
  const { client } = await fixture()
  const peer = client('c')
  peer.connect('c')
  assert.equal(peer.peer.closed, 'protocol-error')
})

test('[MQTT-3.1.2-2] an unsupported level is answered, then closed', async () => {
  const { open } = await fixture()
  for (const [level, answer] of [
    [2, [0x20, 2, 0, 1]],
    [3, [0x20, 2, 0, 1]],
    [6, [0x20, 3, 0, 0x84, 0]], // in the words of 5.0, which such a client knows sooner than those of 3.1.1
    [99, [0x20, 3, 0, 0x84, 0]],
  ] as const) {
    const peer = open()
    peer.raw([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, level, 2, 0, 0, 0, 1, 0x61])
    assert.deepEqual([...(peer.peer.take()[0] ?? [])], answer)
    assert.equal(peer.peer.closed, 'protocol-error')
  }
})

test('[MQTT-3.1.2-3] the reserved connect flag must be 0', async () => {
  const { open } = await fixture()
  const peer = open()
  peer.raw([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 3, 0, 0, 0, 1, 0x61])
  assert.equal(peer.peer.closed, 'protocol-error')
})

test('[MQTT-3.1.3-7] an empty client id is assigned one when the session is clean', async () => {
  const { open, world } = await fixture()
  const v4 = open(4)
  v4.connect('')
  assert.equal(connackOf(v4.take()).returnCode, 0)
  const v5 = open(5)
  v5.connect('')
  const assigned = connackOf(v5.take()).properties?.assignedClientIdentifier
  assert.ok(assigned !== undefined && world.core.client(assigned)?.connected)
})

test('[MQTT-3.1.3-8] an empty client id without clean session is refused with 2', async () => {
  const { open } = await fixture()
  const peer = open(4)
  peer.connect('x')
  const bare = open(4)
  bare.raw([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 0])
  assert.equal(connackOf(bare.take()).returnCode, 2)
  assert.equal(bare.peer.closed, 'protocol-error')
})

test('a connection that stays silent before CONNECT is closed after connectTimeout', async () => {
  const { open, world } = await fixture({ connectTimeout: '3s' })
  const peer = open()
  peer.raw([0x10])
  world.advance(2999)
  assert.equal(peer.peer.closed, undefined)
  world.advance(1)
  assert.equal(peer.peer.closed, 'connect-timeout')
})

test('[MQTT-3.1.2-24] one and a half keep-alives of silence end the connection; PINGREQ keeps it [MQTT-3.12.4-1]', async () => {
  const { client, world } = await fixture()
  const peer = client('c', 4, { keepalive: 10 })
  world.advance(14_999)
  peer.send({ cmd: 'pingreq' })
  assert.deepEqual(brief(peer.take()), [{ cmd: 'pingresp' }])
  world.advance(14_999)
  assert.equal(peer.peer.closed, undefined)
  world.advance(1)
  assert.equal(peer.peer.closed, 'keepalive-timeout')
})

test('QoS 0, 1 and 2 to subscribers at every QoS: the lower one holds [MQTT-3.8.4-6]', async () => {
  for (const version of [4, 5] as const) {
    const { client } = await fixture()
    const publisher = client('publisher', version)
    for (const granted of [0, 1, 2] as const) {
      const subscriber = client(`s${granted}`, version)
      subscriber.subscribe('t', granted)
      for (const qos of [0, 1, 2] as const) {
        publisher.publish('t', 'x', { qos, messageId: 5 })
        publisher.take()
        if (qos === 2) publisher.send({ cmd: 'pubrel', messageId: 5 } as Packet)
        publisher.take()
        const [packet] = subscriber.take() as IPublishPacket[]
        assert.equal(packet?.qos, Math.min(qos, granted))
        assert.equal(packet?.payload.toString(), 'x')
      }
      subscriber.send({ cmd: 'disconnect' } as Packet)
    }
  }
})

test('[MQTT-4.3.2-2] QoS 1 is acknowledged; 5.0 tells when nobody listened', async () => {
  const { client } = await fixture()
  const v4 = client('v4')
  v4.publish('t', 'x', { qos: 1, messageId: 7 })
  assert.deepEqual(brief(v4.take()), [{ cmd: 'puback', messageId: 7 }])
  const v5 = client('v5', 5)
  v5.publish('t', 'x', { qos: 1, messageId: 7 })
  assert.deepEqual(brief(v5.take()), [{ cmd: 'puback', messageId: 7, reasonCode: 0x10 }])
})

test('[MQTT-4.3.3-2] QoS 2 is published once, however often it is sent before PUBREL', async () => {
  const { client } = await fixture()
  const subscriber = client('subscriber')
  subscriber.subscribe('t')
  const publisher = client('publisher')
  publisher.publish('t', 'x', { qos: 2, messageId: 9 })
  publisher.publish('t', 'x', { qos: 2, messageId: 9, dup: true })
  publisher.send({ cmd: 'pubrel', messageId: 9 } as Packet)
  publisher.publish('t', 'y', { qos: 2, messageId: 9 })
  assert.deepEqual(brief(publisher.take()), [
    { cmd: 'pubrec', messageId: 9 },
    { cmd: 'pubrec', messageId: 9 },
    { cmd: 'pubcomp', messageId: 9 },
    { cmd: 'pubrec', messageId: 9 },
  ])
  assert.deepEqual(
    subscriber.take().map((packet) => (packet as IPublishPacket).payload.toString()),
    ['x', 'y'],
  )
})

test('[MQTT-4.4.0-1] a resumed session repeats what was not acknowledged: PUBLISH with DUP, PUBREL, same identifiers', async () => {
  const { client, open } = await fixture()
  const first = client('device', 4, { clean: false })
  first.subscribe('t', 2)
  const publisher = client('publisher')
  for (const [messageId, payload] of [
    [1, 'a'],
    [2, 'b'],
  ] as const)
    publisher.publish('t', payload, { qos: 2, messageId })
  const [, b] = first.take() as IPublishPacket[]
  first.send({ cmd: 'pubrec', messageId: b?.messageId } as Packet)
  assert.deepEqual(brief(first.take()), [{ cmd: 'pubrel', messageId: b?.messageId }])
  first.peer.hangUp()
  const again = open()
  again.connect('device', { clean: false })
  const [connack, ...rest] = again.take()
  assert.equal((connack as IConnackPacket).sessionPresent, true)
  assert.deepEqual(brief(rest), [
    { cmd: 'publish', topic: 't', payload: 'a', qos: 2, retain: false, dup: true, messageId: 1 },
    { cmd: 'pubrel', messageId: 2 },
  ])
})

test('a QoS 2 receipt survives a reconnect of the publisher: still published once', async () => {
  const { client, open } = await fixture()
  const subscriber = client('subscriber')
  subscriber.subscribe('t')
  const first = client('publisher', 4, { clean: false })
  first.publish('t', 'x', { qos: 2, messageId: 3 })
  first.peer.hangUp()
  const again = open()
  again.connect('publisher', { clean: false })
  again.publish('t', 'x', { qos: 2, messageId: 3, dup: true })
  assert.equal(subscriber.take().length, 1)
})

test('[MQTT-3.1.2-5] an absent client with a session gets QoS 1 and 2 later; clean session 1 forgets', async () => {
  const { client, open } = await fixture()
  const device = client('device', 4, { clean: false })
  device.subscribe('t', 1)
  device.peer.hangUp()
  client('publisher').publish('t', 'kept', { qos: 1, messageId: 1 })
  const again = open()
  again.connect('device', { clean: false })
  assert.deepEqual(brief(again.take().slice(1)), [
    { cmd: 'publish', topic: 't', payload: 'kept', qos: 1, retain: false, dup: false, messageId: 1 },
  ])
  const clean = open()
  clean.connect('device', { clean: true })
  assert.equal(connackOf(clean.take()).sessionPresent, false)
})

test('wills: published when the connection is lost, not after DISCONNECT [MQTT-3.1.2-8], [MQTT-3.14.4-3]', async () => {
  for (const version of [4, 5] as const) {
    const { client } = await fixture()
    const watcher = client('watcher')
    watcher.subscribe('will/#', 1)
    const will = { topic: 'will/c', payload: Buffer.from('gone'), qos: 1, retain: false }
    const polite = client('polite', version, { will })
    polite.send({ cmd: 'disconnect' } as Packet)
    assert.equal(polite.peer.closed, 'disconnected')
    assert.equal(watcher.take().length, 0)
    client('lost', version, { will }).peer.hangUp()
    assert.equal(watcher.take().length, 1)
  }
})

test('5.0: DISCONNECT 0x04 publishes the will; will delay waits; session expiry can be changed on the way out', async () => {
  const { client, world } = await fixture()
  const watcher = client('watcher')
  watcher.subscribe('will')
  const will = { topic: 'will', payload: Buffer.from('gone'), properties: { willDelayInterval: 5 } }
  const leaver = client('leaver', 5, { will, properties: { sessionExpiryInterval: 100 } })
  leaver.send({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 50 } } as Packet)
  world.advance(4999)
  assert.equal(watcher.take().length, 0)
  world.advance(1)
  assert.equal(watcher.take().length, 1)
  world.advance(44_999)
  assert.notEqual(world.core.client('leaver'), undefined)
  world.advance(1)
  assert.equal(world.core.client('leaver'), undefined)
  const raiser = client('raiser', 5)
  raiser.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 50 } } as Packet)
  assert.equal(raiser.peer.closed, 'protocol-error') // [MQTT-3.14.2-2]
})

test('[MQTT-3.1.4-3] takeover: the old 5.0 connection is told 0x8E, the newcomer whom it displaced', async () => {
  const { client, open } = await fixture()
  const old = client('same', 5)
  const fresh = open(5)
  fresh.connect('same')
  assert.deepEqual(brief(old.take()), [{ cmd: 'disconnect', reasonCode: 0x8e }])
  assert.equal(old.peer.closed, 'taken-over')
  assert.match(
    connackOf(fresh.take()).properties?.reasonString ?? '',
    /took this client id over from mqtt \(gateway mqtt, 10\.0\.0\.1:/,
  )
})

test('retained messages: replay with RETAIN 1, live with RETAIN 0 [MQTT-3.3.1-8], [MQTT-3.3.1-9]', async () => {
  const { client } = await fixture()
  const publisher = client('publisher')
  const early = client('early')
  early.subscribe('t', 1)
  publisher.publish('t', 'x', { retain: true, qos: 1, messageId: 1 })
  assert.equal((early.take()[0] as IPublishPacket).retain, false)
  const late = client('late')
  late.send({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: 't', qos: 1 }] } as Packet)
  assert.deepEqual(brief(late.take()), [
    { cmd: 'suback', messageId: 4, granted: [1] },
    { cmd: 'publish', topic: 't', payload: 'x', qos: 1, retain: true, dup: false, messageId: 1 },
  ])
})

test('[MQTT-3.8.4-5] SUBACK has a code for each filter, UNSUBACK likewise in 5.0', async () => {
  const authorize = (_: unknown, action: string, topic: string): boolean => action === 'publish' || topic !== 'secret'
  const { client } = await fixture({}, {}, { access: { authenticate: () => ({ ok: true }), authorize } })
  const v4 = client('v4')
  const subscriptions = [
    { topic: 'a', qos: 2 },
    { topic: 'secret', qos: 0 },
    { topic: '$share/g/a', qos: 1 },
  ]
  v4.send({ cmd: 'subscribe', messageId: 2, subscriptions } as Packet)
  assert.deepEqual(brief(v4.take()), [{ cmd: 'suback', messageId: 2, granted: [2, 0x80, 1] }])
  const v5 = client('v5', 5)
  v5.send({ cmd: 'subscribe', messageId: 2, subscriptions } as Packet)
  assert.deepEqual(brief(v5.take()), [{ cmd: 'suback', messageId: 2, granted: [2, 0x87, 1] }])
  v5.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['a', 'never'] } as Packet)
  const [unsuback] = v5.take()
  assert.deepEqual(unsuback?.cmd === 'unsuback' ? unsuback.granted : [], [0, 0x11])
})

test('5.0 properties travel from publisher to subscriber in order, and are left out for 3.1.1', async () => {
  const { client, world } = await fixture()
  const v5 = client('v5', 5)
  const v4 = client('v4')
  v5.subscribe('t', 1, {}, { subscriptionIdentifier: 17 })
  v4.subscribe('t', 1)
  const properties = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
    contentType: 'text/plain',
    responseTopic: 'answers',
    correlationData: Buffer.from([1, 2, 3]),
    userProperties: { b: '1', a: ['2', '3'] },
  }
  client('publisher', 5).publish('t', 'x', { qos: 1, messageId: 1, properties })
  world.advance(0)
  const [packet] = v5.take() as IPublishPacket[]
  assert.deepEqual(
    JSON.parse(JSON.stringify(packet?.properties)),
    JSON.parse(JSON.stringify({ ...properties, subscriptionIdentifier: 17 })),
  )
  assert.equal((v4.take()[0] as IPublishPacket).payload.toString(), 'x')
})

test('5.0 message expiry: what is left is forwarded [MQTT-3.3.2-6], what is over is not [MQTT-3.3.2-5]', async () => {
  const { client, open, world } = await fixture()
  const device = client('device', 5, { clean: false, properties: { sessionExpiryInterval: 1000 } })
  device.subscribe('t', 1)
  device.peer.hangUp()
  const publisher = client('publisher', 5)
  publisher.publish('t', 'short', { qos: 1, messageId: 1, properties: { messageExpiryInterval: 5 } })
  publisher.publish('t', 'long', { qos: 1, messageId: 2, properties: { messageExpiryInterval: 60 } })
  world.advance(20_000)
  const again = open(5)
  again.connect('device', { clean: false, properties: { sessionExpiryInterval: 1000 } })
  const [packet, ...more] = again.take().slice(1) as IPublishPacket[]
  assert.equal(more.length, 0)
  assert.equal(packet?.payload.toString(), 'long')
  assert.equal(packet?.properties?.messageExpiryInterval, 40)
})

test('5.0 topic aliases: set, used, refused beyond the maximum [MQTT-3.3.2-8]', async () => {
  const { client } = await fixture({ topicAliasMaximum: 2 })
  const subscriber = client('subscriber')
  subscriber.subscribe('t/#')
  const publisher = client('publisher', 5)
  publisher.publish('t/long/name', '1', { properties: { topicAlias: 2 } })
  publisher.publish('', '2', { properties: { topicAlias: 2 } })
  assert.deepEqual(
    subscriber.take().map((packet) => (packet as IPublishPacket).topic),
    ['t/long/name', 't/long/name'],
  )
  publisher.publish('t', '3', { properties: { topicAlias: 3 } })
  assert.deepEqual(brief(publisher.take()), [{ cmd: 'disconnect', reasonCode: 0x94 }])
})

test('[MQTT-3.1.2-25] a 5.0 client gets nothing larger than it can take; the window goes on', async () => {
  const { client } = await fixture()
  const small = client('small', 5, { properties: { maximumPacketSize: 64, receiveMaximum: 1 } })
  small.subscribe('t', 1)
  const publisher = client('publisher')
  publisher.publish('t', 'x'.repeat(100), { qos: 1, messageId: 1 })
  publisher.publish('t', 'fits', { qos: 1, messageId: 2 })
  publisher.publish('t', 'y'.repeat(100))
  assert.deepEqual(
    small.take().map((packet) => (packet as IPublishPacket).payload.toString()),
    ['fits'],
  )
})

test('[MQTT-3.3.4-7] more open QoS 2 messages than the receive maximum: DISCONNECT 0x93', async () => {
  const { client } = await fixture({ receiveMaximum: 2 })
  const peer = client('c', 5)
  for (const messageId of [1, 2, 3]) peer.publish('t', 'x', { qos: 2, messageId })
  assert.deepEqual(brief(peer.take()).at(-1), { cmd: 'disconnect', reasonCode: 0x93 })
})

test('[MQTT-3.8.3-4] no local on a shared subscription is a protocol error', async () => {
  const { client } = await fixture()
  const peer = client('c', 5)
  peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/g/t', qos: 0, nl: true }] } as Packet)
  assert.deepEqual(brief(peer.take()), [{ cmd: 'disconnect', reasonCode: 0x82 }])
})

test('a packet above the maximum size is refused on its declared length', async () => {
  const { client, world } = await fixture({ maxPacketSize: '1KiB' })
  const peer = client('c', 5)
  peer.raw([0x30, 0x80, 0x80, 0x01])
  assert.deepEqual(brief(peer.take()), [{ cmd: 'disconnect', reasonCode: 0x95 }])
  assert.equal(peer.peer.closed, 'too-large')
  assert.equal(world.malformed().get('packet-too-large'), 1)
})
