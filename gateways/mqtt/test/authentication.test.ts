/** Enhanced authentication (MQTT 5.0 sections 3.15, 4.12), with a method of two steps that is made for this test. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IAuthPacket, IConnackPacket, IDisconnectPacket, Packet } from 'mqtt-packet'
import type { Access, Step } from '#testing'
import type { Fixture, MqttPeer } from './peer.ts'
import { fixture } from './peer.ts'

const METHOD = 'RIDDLE'

/** Asks as many riddles as the client orders; the answer to each is the riddle, backwards. */
function ask(left: number, riddle = `riddle ${left}`): Step {
  if (left === 0) return { ok: true, data: Buffer.from('welcome') }
  return {
    data: Buffer.from(riddle),
    answer: (data) =>
      Buffer.from(data ?? []).toString() === [...riddle].reverse().join('')
        ? ask(left - 1)
        : { ok: false, reason: 'not-authorized', message: 'a wrong answer' },
  }
}

function riddles(wrap: (step: Step) => Step | Promise<Step> = (step) => step): Access {
  const later = (step: Step): Step | Promise<Step> =>
    wrap('answer' in step ? { data: step.data, answer: (data) => later(step.answer(data) as Step) } : step)
  return {
    authenticate: () => ({ ok: true }),
    exchange: ({ request: { authentication } }) =>
      authentication?.method === METHOD ? later(ask(Number(Buffer.from(authentication.data ?? []).toString()))) : undefined,
  }
}

function connect(peer: MqttPeer, count: number, more: object = {}): void {
  const properties = { authenticationMethod: METHOD, authenticationData: Buffer.from(`${count}`), ...more }
  peer.connect('a', { properties })
}

function auth(peer: MqttPeer, reasonCode: number, data: string, method = METHOD): void {
  const properties = { authenticationMethod: method, authenticationData: Buffer.from(data) }
  peer.send({ cmd: 'auth', reasonCode, properties })
}

/** Command, reason code, method, data. */
function brief(packets: readonly Packet[]): unknown[] {
  return packets.map((packet) => {
    const { cmd, reasonCode, properties } = packet as IAuthPacket | IConnackPacket | IDisconnectPacket
    const { authenticationMethod: method, authenticationData: data } = (properties ?? {}) as IAuthPacket['properties'] & object
    return method === undefined ? [cmd, reasonCode] : [cmd, reasonCode, method, data?.toString()]
  })
}

async function withRiddles(wrap?: (step: Step) => Step | Promise<Step>, config: object = {}): Promise<Fixture> {
  return fixture(config, {}, { access: riddles(wrap) })
}

/** Verdicts that take their time are there after a turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('5.0 [MQTT-4.12.0-2] the server asks with AUTH 0x18, [MQTT-4.12.0-3] the client answers, [MQTT-4.12.0-5] the method stays', async () => {
  const { open, world } = await withRiddles()
  const peer = open(5)
  connect(peer, 2)
  assert.deepEqual(brief(peer.take()), [['auth', 0x18, METHOD, 'riddle 2']])
  assert.equal(world.core.size, 0)
  auth(peer, 0x18, '2 elddir')
  assert.deepEqual(brief(peer.take()), [['auth', 0x18, METHOD, 'riddle 1']])
  auth(peer, 0x18, '1 elddir')
  assert.deepEqual(brief(peer.take()), [['connack', 0, METHOD, 'welcome']])
  peer.send({ cmd: 'pingreq' })
  assert.deepEqual(
    peer.take().map(({ cmd }) => cmd),
    ['pingresp'],
  )
})

test('5.0 a method may be content with what CONNECT brings', async () => {
  const { open } = await withRiddles()
  const peer = open(5)
  connect(peer, 0)
  assert.deepEqual(brief(peer.take()), [['connack', 0, METHOD, 'welcome']])
})

test('5.0 every step may take its time, and what is sent meanwhile waits', async () => {
  const { open } = await withRiddles((step) => Promise.resolve(step))
  const peer = open(5)
  connect(peer, 1)
  assert.deepEqual(peer.take(), [])
  await turn()
  assert.deepEqual(brief(peer.take()), [['auth', 0x18, METHOD, 'riddle 1']])
  const answer = { authenticationMethod: METHOD, authenticationData: Buffer.from('1 elddir') }
  peer.send({ cmd: 'auth', reasonCode: 0x18, properties: answer }, { cmd: 'pingreq' })
  peer.send({ cmd: 'pingreq' })
  assert.deepEqual(peer.take(), [])
  await turn()
  assert.deepEqual(
    peer.take().map(({ cmd }) => cmd),
    ['connack', 'pingresp', 'pingresp'],
  )
})

test('5.0 [MQTT-4.12.0-4] the server may refuse in every step', async () => {
  const { open, world } = await withRiddles()
  for (const right of [0, 1]) {
    const peer = open(5)
    connect(peer, 2)
    if (right > 0) auth(peer, 0x18, '2 elddir')
    peer.take()
    auth(peer, 0x18, 'no idea')
    assert.deepEqual(brief(peer.take()), [['connack', 0x87]])
    assert.equal(peer.peer.closed, 'not-authorized')
  }
  assert.equal(world.core.size, 0)
})

test('5.0 [MQTT-4.12.0-1] a method that is not known is refused with 0x8C, also where others are', async () => {
  const { open } = await withRiddles()
  const peer = open(5)
  peer.connect('a', { properties: { authenticationMethod: 'other' } })
  assert.deepEqual(brief(peer.take()), [['connack', 0x8c]])
  assert.equal(peer.peer.closed, 'not-authorized')
})

test('5.0 [MQTT-4.12.0-7] AUTH of a client that named no method is a protocol error', async () => {
  const { client } = await withRiddles()
  for (const reasonCode of [0x18, 0x19]) {
    const peer = client('a', 5)
    auth(peer, reasonCode, '1')
    assert.deepEqual(brief(peer.take()), [['disconnect', 0x82]])
  }
})

test('5.0 [MQTT-3.1.2-30] before CONNACK a client with a method sends AUTH and DISCONNECT only', async () => {
  const { open, world } = await withRiddles()
  const talker = open(5)
  connect(talker, 1)
  talker.take()
  talker.send({ cmd: 'pingreq' })
  assert.deepEqual(talker.take(), [])
  assert.equal(talker.peer.closed, 'protocol-error')
  const leaver = open(5)
  connect(leaver, 1)
  leaver.take()
  leaver.send({ cmd: 'disconnect', reasonCode: 0 })
  assert.equal(leaver.peer.closed, 'disconnected')
  assert.deepEqual([world.core.size, world.wheel.size, world.faults()], [0, 0, 0])
})

test('5.0 a client that does not answer is not waited for', async () => {
  const { open, world } = await withRiddles(undefined, { connectTimeout: '3s' })
  const peer = open(5)
  connect(peer, 2)
  world.advance(2999)
  auth(peer, 0x18, '2 elddir')
  world.advance(2999)
  assert.equal(peer.peer.closed, undefined)
  world.advance(1)
  assert.equal(peer.peer.closed, 'connect-timeout')
})

test('5.0 [MQTT-4.12.1-1] a connected client proves itself anew with its method, and goes on meanwhile', async () => {
  const { open } = await withRiddles()
  const peer = open(5)
  connect(peer, 0)
  peer.take()
  for (let i = 0; i < 2; i++) {
    auth(peer, 0x19, '1')
    peer.send({ cmd: 'pingreq' })
    assert.deepEqual(brief(peer.take().slice(0, 1)), [['auth', 0x18, METHOD, 'riddle 1']])
    auth(peer, 0x18, '1 elddir')
    assert.deepEqual(brief(peer.take()), [['auth', 0, METHOD, 'welcome']])
  }
  assert.equal(peer.peer.closed, undefined)
})

test('5.0 [MQTT-4.12.1-2] a client whose re-authentication fails is disconnected with the reason', async () => {
  const { open, world } = await withRiddles()
  const peer = open(5)
  connect(peer, 0)
  auth(peer, 0x19, '1')
  peer.take()
  auth(peer, 0x18, 'no idea')
  const [goodbye] = peer.take() as [IDisconnectPacket]
  assert.deepEqual([goodbye.cmd, goodbye.reasonCode, goodbye.properties?.reasonString], ['disconnect', 0x87, 'a wrong answer'])
  assert.equal(peer.peer.closed, 'not-authorized')
  assert.equal(world.core.size, 0)
})

test('5.0 [MQTT-4.12.0-5] AUTH with another method, and one that nobody asked for, are protocol errors', async () => {
  const { open } = await withRiddles()
  const cases: ((peer: MqttPeer) => void)[] = [
    (peer) => auth(peer, 0x19, '1', 'other'),
    (peer) => auth(peer, 0x18, '1'),
    (peer) => peer.send({ cmd: 'auth', reasonCode: 0x19, properties: {} }),
    (peer) => {
      auth(peer, 0x19, '1')
      peer.take()
      auth(peer, 0x19, '1')
    },
  ]
  for (const act of cases) {
    const peer = open(5)
    connect(peer, 0)
    peer.take()
    act(peer)
    assert.deepEqual(brief(peer.take()), [['disconnect', 0x82]])
    assert.equal(peer.peer.closed, 'protocol-error')
  }
})

test('5.0 [MQTT-3.15.2-1] AUTH has a reason code of those that are listed', async () => {
  const { open, world } = await withRiddles()
  const peer = open(5)
  connect(peer, 0)
  peer.take()
  auth(peer, 0x17, '1')
  assert.deepEqual(brief(peer.take()), [['disconnect', 0x82]])
  assert.equal(world.malformed().get('reason-code'), 1)
})

test('5.0 [MQTT-3.15.2-2] [MQTT-3.15.2-3] AUTH has no words that make it too large; one that is too large ends the connection', async () => {
  const { open, world } = await withRiddles()
  const peer = open(5)
  connect(peer, 1, { maximumPacketSize: 23 })
  assert.deepEqual(peer.take(), [])
  assert.equal(peer.peer.closed, 'too-large')
  const roomy = open(5)
  connect(roomy, 1, { maximumPacketSize: 24 })
  const [asked] = roomy.take() as [IAuthPacket]
  assert.deepEqual(Object.keys(asked.properties ?? {}), ['authenticationMethod', 'authenticationData'])
  assert.deepEqual([world.faults(), world.core.size], [0, 0])
})

test('an access that breaks in the middle lets nobody in', async () => {
  const broken: Access = {
    authenticate: () => ({ ok: true }),
    exchange: () => ({ data: undefined, answer: () => Promise.reject(new Error('gone')) }),
  }
  const { open, world } = await fixture({}, {}, { access: broken })
  const peer = open(5)
  connect(peer, 1)
  assert.deepEqual(brief(peer.take()), [['auth', 0x18, METHOD, undefined]])
  auth(peer, 0x18, 'x')
  await turn()
  assert.deepEqual(brief(peer.take()), [['connack', 0x88]])
  assert.equal(world.core.size, 0)
  assert.equal(world.errors.length, 1)
})
