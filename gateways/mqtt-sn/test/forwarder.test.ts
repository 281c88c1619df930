/** Forwarder encapsulation: a session is a forwarder and a node id (MQTT-SN 1.2, 5.4.20). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex, unhex } from '#testing'
import type { Of } from '../codec/index.ts'
import { FIRST_TOPIC_ID } from '../topic-ids.ts'
import { connect, type Device, puback, publish, regack, type Scene, scene, text } from './device.ts'

/** Devices behind one forwarder, each with its node id. */
function behind({ device }: Scene, address: string, ...nodes: number[]): Device[] {
  const forwarder = device({ address })
  return nodes.map((node) => device({ forwarder, node: Uint8Array.of(0, node) }))
}

test('two nodes behind one address are two clients, and each answer has its node id', async () => {
  const stage = await scene()
  const { app, world } = stage
  const [first, second] = behind(stage, '10.0.0.1', 1, 2) as [Device, Device]
  first.join('c1')
  second.join('c2')
  assert.equal(first.register('a'), FIRST_TOPIC_ID)
  assert.equal(second.register('b'), FIRST_TOPIC_ID)
  app.subscribe('+')
  first.ask(publish(FIRST_TOPIC_ID, 'x', { qos: 1 }), 'puback')
  second.ask(publish(FIRST_TOPIC_ID, 'y', { qos: 1 }), 'puback')
  assert.deepEqual(
    app.take().map((message) => `${message.topic} ${message.text}`),
    ['a x', 'b y'],
  )
  assert.equal(world.core.client('c1')?.connected, true)
  assert.equal(world.core.client('c2')?.connected, true)
})

test('the encapsulation comes back octet for octet, with any length of the node id', async () => {
  const { device } = await scene()
  const forwarder = device()
  forwarder.peer.send(unhex('07 fe 00 0a 0b 0c 0d 08 04 04 01 00 3c 63 31'))
  assert.deepEqual(forwarder.peer.take().map(hex), ['07fe000a0b0c0d030500'])
  forwarder.peer.send(unhex('03 fe 01 08 04 04 01 00 3c 63 32'))
  assert.deepEqual(forwarder.peer.take().map(hex), ['03fe01030500'])
})

test('nodes sleep, wake and are lost each for itself', async () => {
  const stage = await scene()
  const { app, world } = stage
  const [first, second] = behind(stage, '10.0.0.1', 1, 2) as [Device, Device]
  first.join('c1', { duration: 600 }).subscribe('a')
  second.join('c2', { duration: 10 })
  first.sleep(1000)
  app.publish('a', 'x', { qos: 1 })
  world.advance(15_000)
  assert.deepEqual(second.types(), ['disconnect'])
  assert.equal(world.core.client('c2'), undefined)
  first.send({ type: 'pingreq', clientId: 'c1' })
  const message = first.only('publish')
  first.ask(puback(message), 'pingresp')
})

test('a forwarder without nodes is forgotten, and a node without a session is told to connect', async () => {
  const stage = await scene()
  const [node] = behind(stage, '10.0.0.1', 1) as [Device]
  node.join('c1')
  node.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  assert.equal(node.peer.closed, 'disconnected')
  const [stranger] = behind(stage, '10.0.0.1', 1) as [Device]
  stranger.ask(publish(1, 'x'), 'disconnect')
  assert.notEqual(stranger.peer.closed, undefined)
})

test('the forwarder may be a client itself', async () => {
  const stage = await scene()
  const { app, world } = stage
  const forwarder = stage.device().join('f1')
  const node = stage.device({ forwarder, node: Uint8Array.of(9) }).join('c1')
  const topicId = forwarder.subscribe('a', 0)
  app.publish('a', 'x')
  assert.equal(forwarder.only('publish').topicId, topicId)
  forwarder.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  assert.equal(world.core.client('f1'), undefined)
  node.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
})

test('a node moves: to another forwarder, to another node, to an address of its own', async () => {
  const stage = await scene()
  const { app, world } = stage
  const [first] = behind(stage, '10.0.0.1', 1) as [Device]
  first.join('c1', { clean: true })
  first.subscribe('a/+', 1)
  first.sleep(600)
  const [second, third] = behind(stage, '10.0.0.2', 5, 6) as [Device, Device]
  const own = stage.device({ address: '10.0.0.3' })
  for (const [i, device] of [second, third, own].entries()) {
    app.publish(`a/${i}`, String(i), { qos: 1 })
    device.send({ type: 'pingreq', clientId: 'c1' })
    device.send(regack(device.only('register')))
    device.ask(puback(device.only('publish')), 'pingresp')
    device.silent()
    assert.equal(world.core.client('c1')?.connected, true)
  }
  assert.equal(first.peer.closed, 'disconnected')
  assert.equal(second.peer.closed, 'disconnected')
})

test('a node that moves between forwarders is never seen offline; its will stays', async () => {
  const stage = await scene()
  const { app, world } = stage
  app.subscribe('gone')
  const [first] = behind(stage, '10.0.0.1', 1) as [Device]
  first.ask(connect('c1', { will: true, duration: 10 }), 'willtopicreq')
  first.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  first.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  const before = world.core.client('c1')?.since
  world.advance(1_000)
  const [second] = behind(stage, '10.0.0.2', 1) as [Device]
  const own = stage.device({ address: '10.0.0.3' })
  for (const device of [second, own]) {
    device.ask({ type: 'pingreq', clientId: 'c1' }, 'pingresp')
    device.ask(publish(1, 'x', { qos: 1 }), 'puback')
  }
  assert.equal(world.core.client('c1')?.since, before)
  assert.equal(world.counters().get('moved'), 2)
  assert.deepEqual(app.take(), [])
  world.advance(20_000)
  assert.deepEqual(
    app.take().map((message) => message.text),
    ['bye'],
  )
  own.only('disconnect')
  assert.notEqual(own.peer.closed, undefined)
})

test('a client with an address of its own moves behind a forwarder, to the place of another', async () => {
  const stage = await scene()
  const { app, world } = stage
  const own = stage.device({ address: '10.0.0.3' }).join('c1')
  own.subscribe('a')
  own.sleep(600)
  app.publish('a', 'x', { qos: 1 })
  const [node] = behind(stage, '10.0.0.1', 1) as [Device]
  node.join('c2')
  node.send({ type: 'pingreq', clientId: 'c1' })
  node.ask(puback(node.only('publish')), 'pingresp')
  assert.equal(world.core.client('c2'), undefined)
  assert.equal(own.peer.closed, 'disconnected')
})

test('a message that was open when the node moved arrives at its new place, with DUP', async () => {
  const stage = await scene()
  const { app, world } = stage
  const [first] = behind(stage, '10.0.0.1', 1) as [Device]
  first.join('c1')
  first.subscribe('a')
  app.publish('a', 'x', { qos: 1 })
  first.only('publish')
  first.sleep(600)
  const [second] = behind(stage, '10.0.0.2', 1) as [Device]
  second.send({ type: 'pingreq', clientId: 'c1' })
  const message = second.only('publish')
  assert.deepEqual([text(message), message.dup], ['x', true])
  second.ask(puback(message), 'pingresp')
  world.advance(1)
  second.silent()
})

test('a node with nothing waiting at its new place gets PINGRESP', async () => {
  const stage = await scene()
  const [first] = behind(stage, '10.0.0.1', 1) as [Device]
  first.join('c1').sleep(600)
  const [second] = behind(stage, '10.0.0.2', 1) as [Device]
  second.send({ type: 'pingreq', clientId: 'c1' })
  stage.world.advance(1)
  second.only('pingresp')
})

test('a CONNECT with CleanSession 0 through another forwarder goes on with the session, without its will', async () => {
  const stage = await scene()
  const { app } = stage
  app.subscribe('gone')
  const [first] = behind(stage, '10.0.0.1', 1) as [Device]
  first.ask(connect('c1', { clean: false, will: true }), 'willtopicreq')
  first.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  first.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  const topicId = first.subscribe('a', 1)
  const [second] = behind(stage, '10.0.0.2', 1) as [Device]
  second.join('c1', { clean: false })
  app.publish('a', 'x', { qos: 1 })
  assert.equal(second.only('publish').topicId, topicId)
  assert.deepEqual(app.take(), [])
})

test('too many nodes: congestion; switched off: counted, and nothing else', async () => {
  const stage = await scene({ forwarder: { maxNodes: 1 } })
  const [first, second] = behind(stage, '10.0.0.1', 1, 2) as [Device, Device]
  first.join('c1')
  assert.equal((second.ask(connect('c2'), 'connack') as Of<'connack'>).returnCode, 1)
  assert.equal(stage.world.counters().get('nodes-exhausted'), 1)
  const off = await scene({ forwarder: { enabled: false } })
  const [node] = behind(off, '10.0.0.1', 1) as [Device]
  node.send(connect('c1')).silent()
  assert.equal(off.world.counters().get('forwarder-refused'), 1)
})

test('SEARCHGW through a forwarder is answered through it; broken messages inside are counted', async () => {
  const stage = await scene({ gatewayId: 7 })
  const [node] = behind(stage, '10.0.0.1', 1) as [Device]
  assert.equal(node.ask({ type: 'searchgw', radius: 0 }, 'gwinfo').gatewayId, 7)
  const [other] = behind(stage, '10.0.0.1', 1) as [Device]
  other.raw(unhex('02 03')).silent()
  assert.equal(stage.world.malformed().get('reserved-type'), 1)
})
