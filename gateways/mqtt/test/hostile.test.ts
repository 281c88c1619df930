/** What a client may not send, or may only try: packets that close, permissions, slow authentication, slow readers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IConnackPacket, IPublishPacket, Packet } from 'mqtt-packet'
import { brief, fixture } from './peer.ts'

const connackOf = (packets: readonly Packet[]): IConnackPacket => packets[0] as IConnackPacket

const text = [0x82, 6, 0, 1, 0, 1, 0x61, 0]
for (const [what, bytes] of [
  ['[MQTT-3.3.1-4] QoS 3', [0x36, 5, 0, 1, 0x61, 0, 1]],
  ['[MQTT-3.3.1-2] DUP on QoS 0', [0x38, 3, 0, 1, 0x61]],
  ['[MQTT-2.3.1-1] packet identifier 0', [0x32, 5, 0, 1, 0x61, 0, 0]],
  ['[MQTT-3.3.2-2] a wildcard in a topic name', [0x30, 3, 0, 1, 0x23]],
  ['[MQTT-1.5.3-1] ill-formed UTF-8 in a topic name', [0x30, 4, 0, 2, 0xc0, 0xaf]],
  ['[MQTT-1.5.3-1] a surrogate in a topic name', [0x30, 5, 0, 3, 0xed, 0xa0, 0x80]],
  ['[MQTT-1.5.3-2] NUL in a topic name', [0x30, 3, 0, 1, 0]],
  ['[MQTT-4.7.3-1] an empty topic name', [0x30, 2, 0, 0]],
  ['a topic longer than its packet', [0x30, 3, 0, 9, 0x61]],
  ['a QoS 1 publish cut before its identifier', [0x32, 3, 0, 1, 0x61]],
  ['[MQTT-3.8.1-1] wrong flags on SUBSCRIBE', [0x80, ...text.slice(1)]],
  ['[MQTT-3.8.3-4] reserved subscription bits', [...text.slice(0, -1), 0x83]],
  ['[MQTT-3.8.3-3] SUBSCRIBE without a filter', [0x82, 2, 0, 1]],
  ['[MQTT-1.5.3-1] ill-formed UTF-8 in a filter', [0x82, 7, 0, 1, 0, 2, 0xc0, 0xaf, 0]],
  ['[MQTT-3.6.1-1] wrong flags on PUBREL', [0x60, 2, 0, 1]],
  ['flags on PUBACK', [0x41, 2, 0, 1]],
  ['flags on PINGREQ', [0xc1, 0]],
  ['a PINGREQ with a body', [0xc0, 1, 0]],
  ['[MQTT-3.14.1-1] flags on DISCONNECT', [0xe1, 0]],
  ['packet type 0', [0x00, 0]],
  ['AUTH in 3.1.1', [0xf0, 0]],
  ['a server packet from a client', [0x20, 2, 0, 0]],
  ['a remaining length of five octets', [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ['[MQTT-1.5.5-1] a remaining length that is not minimal', [0x30, 0x83, 0x00, 0, 1, 0x61]],
] as const) {
  test(`closes on ${what}, counts it, and keeps no state`, async () => {
    const { client, world } = await fixture()
    const peer = client('c', 4, { keepalive: 30 })
    peer.raw(bytes)
    assert.equal(peer.peer.closed, 'protocol-error')
    assert.equal(
      [...world.malformed().values()].reduce((a, b) => a + b, 0),
      1,
    )
    assert.equal(world.core.size, 0)
    assert.equal(world.wheel.size, 0)
    assert.equal(world.faults(), 0)
  })
}

test('[MQTT-3.3.5-2] publish without permission: ignored and counted, 0x87 in 5.0, or disconnected by config', async () => {
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (_client: object, action: string) => action !== 'publish',
  }
  const { client, world } = await fixture({}, {}, { access })
  const v4 = client('v4')
  v4.publish('t', 'x', { qos: 1, messageId: 1 })
  assert.deepEqual(brief(v4.take()), [{ cmd: 'puback', messageId: 1 }])
  const v5 = client('v5', 5)
  v5.publish('t', 'x', { qos: 2, messageId: 1 })
  assert.deepEqual(brief(v5.take()), [{ cmd: 'pubrec', messageId: 1, reasonCode: 0x87 }])
  assert.equal(world.counters().get('publish-refused-not-authorized'), 2)
  const strict = await fixture({ unauthorizedPublish: 'disconnect' }, {}, { access })
  const peer = strict.client('c', 5)
  peer.publish('t', 'x')
  assert.deepEqual(brief(peer.take()), [{ cmd: 'disconnect', reasonCode: 0x87 }])
})

test('authentication may take its time: bytes that come meanwhile are parked, in the same chunk and after it', async () => {
  let admit: (verdict: { ok: true }) => void = () => {}
  const access = {
    authenticate: () =>
      new Promise<{ ok: true }>((resolve) => {
        admit = resolve
      }),
  }
  const { open, world } = await fixture({}, {}, { access })
  const app = world.app('app')
  app.subscribe('t')
  const peer = open()
  const connect = peer.encode({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'c',
    clean: true,
    keepalive: 0,
  } as Packet)
  const publish = (payload: string): Buffer =>
    peer.encode({ cmd: 'publish', topic: 't', payload, qos: 0, retain: false, dup: false } as Packet)
  peer.raw(Buffer.concat([connect, publish('same chunk')]))
  assert.equal(peer.peer.wire.paused, true)
  peer.raw(publish('next chunk'))
  assert.equal(app.take().length, 0)
  admit({ ok: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(peer.peer.wire.paused, false)
  assert.deepEqual(brief(peer.take()), [{ cmd: 'connack' }])
  assert.deepEqual(
    app.take().map((received) => received.text),
    ['same chunk', 'next chunk'],
  )
})

test("refused credentials: the version's own code, then the close", async () => {
  const access = { authenticate: () => ({ ok: false, reason: 'bad-credentials' }) as const }
  const { open } = await fixture({}, {}, { access })
  for (const [version, code] of [
    [4, 4],
    [5, 0x86],
  ] as const) {
    const peer = open(version)
    peer.connect('c', { username: 'u', password: Buffer.from('p') })
    const connack = connackOf(peer.take())
    assert.equal(version === 5 ? connack.reasonCode : connack.returnCode, code)
    assert.equal(peer.peer.closed, 'not-authorized')
  }
})

test('a slow reader is held and gets the rest in order; the publisher and others do not wait', async () => {
  const { client } = await fixture()
  const slow = client('slow')
  const fast = client('fast')
  slow.subscribe('t')
  fast.subscribe('t')
  slow.peer.wire.congested = true
  const publisher = client('publisher')
  for (let i = 0; i < 10; i++) publisher.publish('t', String(i))
  assert.equal(slow.take().length, 0)
  assert.equal(fast.take().length, 10)
  slow.peer.wire.drain()
  assert.deepEqual(
    slow.take().map((packet) => (packet as IPublishPacket).payload.toString()),
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  )
})
