/** Sleeping clients: asleep, awake, lost (MQTT-SN 1.2, 6.14), and where they wake up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Of } from '../codec/index.ts'
import { connect, type Device, puback, publish, regack, scene, text } from './device.ts'

const wake = (clientId = 'c1'): Message => ({ type: 'pingreq', clientId })

/** What a device gets while it is awake, acknowledging as it should, until PINGRESP. */
function payloadsUntilPingresp(device: Device): string[] {
  const payloads: string[] = []
  for (let i = 0; i < 100; i++) {
    for (const message of device.take()) {
      if (message.type === 'pingresp') return payloads
      if (message.type === 'register') device.send(regack(message))
      else if (message.type === 'pubrel') device.send({ type: 'pubcomp', messageId: message.messageId })
      else if (message.type === 'publish') {
        payloads.push(text(message))
        if (message.qos === 1) device.send(puback(message))
        else if (message.qos === 2) device.send({ type: 'pubrec', messageId: message.messageId })
      }
    }
  }
  assert.fail('no PINGRESP')
}

test('asleep: nothing is sent, everything is kept; awake: all of it with its full flow, then PINGRESP', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('news/#', 2)
  sensor.sleep(300)
  app.publish('news/0', '0')
  app.publish('news/1', '1', { qos: 1 })
  app.publish('news/2', '2', { qos: 2 })
  app.publish('news/1', '3', { qos: 1 })
  sensor.silent()
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['0', '1', '2', '3'])
  sensor.silent()
})

test('with nothing to deliver PINGRESP comes at once', async () => {
  const { device } = await scene()
  const sensor = device().join('c1').sleep(300)
  sensor.ask(wake(), 'pingresp')
  sensor.ask(wake(), 'pingresp')
})

test('a message that comes while the client is awake goes out before PINGRESP; one after it waits', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  app.publish('a', '1', { qos: 1 })
  sensor.send(wake())
  const first = sensor.only('publish')
  app.publish('a', '2', { qos: 1 })
  sensor.send(puback(first))
  const second = sensor.only('publish')
  assert.equal(text(second), '2')
  sensor.ask(puback(second), 'pingresp')
  app.publish('a', '3', { qos: 1 })
  sensor.silent()
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['3'])
})

test('a repeated PINGREQ while awake does not end it', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  app.publish('a', '1', { qos: 1 })
  sensor.send(wake())
  const message = sensor.only('publish')
  sensor.send(wake()).silent()
  sensor.ask(puback(message), 'pingresp')
})

test('lost: the sleep lasts longer than announced, with tolerance; the will is published', async () => {
  const { device, app, world } = await scene({ sleepFactor: 1.5 })
  app.subscribe('gone')
  const sensor = device()
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  sensor.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  sensor.sleep(100)
  world.advance(149_999)
  assert.deepEqual(app.take(), [])
  world.advance(1)
  assert.equal(app.take()[0]?.text, 'bye')
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
  sensor.silent()
  assert.equal(device().ask(wake(), 'disconnect').duration, undefined)
})

test('the keep-alive of the connection does not count asleep; each PINGREQ begins the sleep anew', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1', { duration: 10 }).sleep(100)
  for (let i = 0; i < 5; i++) {
    world.advance(140_000)
    sensor.ask(wake(), 'pingresp')
  }
  world.advance(150_000)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
})

test('a sleeping client announces another duration', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1').sleep(10)
  world.advance(10_000)
  sensor.sleep(1000)
  world.advance(1_400_000)
  assert.equal(sensor.peer.closed, undefined)
  sensor.sleep(1)
  world.advance(1500)
  assert.equal(sensor.peer.closed, 'keepalive-timeout')
})

test('DISCONNECT with the duration 0, or from a sleeping client without one, ends the session', async () => {
  const { device, world } = await scene()
  const first = device().join('c1')
  first.ask({ type: 'disconnect', duration: 0 }, 'disconnect')
  assert.equal(first.peer.closed, 'disconnected')
  const second = device().join('c2').sleep(10)
  second.ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  assert.equal(second.peer.closed, 'disconnected')
  assert.equal(world.core.client('c2'), undefined)
})

for (const clean of [true, false]) {
  test(`CONNECT of a sleeping client (its session began with CleanSession ${clean}): CONNACK, then what waited`, async () => {
    const { device, app } = await scene()
    const sensor = device().join('c1', { clean })
    sensor.subscribe('a')
    sensor.sleep(300)
    app.publish('a', '1')
    app.publish('a', '2', { qos: 1 })
    sensor.send(connect('c1', { clean: false }))
    const [connack, first, second, ...rest] = sensor.take()
    assert.equal(connack?.type, 'connack')
    assert.deepEqual([text(first), text(second), rest.length], ['1', '2', 0])
    sensor.send(puback(second as Of<'publish'>))
    app.publish('a', '3')
    assert.equal(text(sensor.only('publish')), '3', 'it is active')
  })
}

test('CONNECT of a sleeping client with CleanSession 1 discards what waited', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  app.publish('a', '1', { qos: 1 })
  sensor.join('c1', { clean: true }).silent()
})

test('the buffer is bounded, and what gave way is counted', async () => {
  const { device, app, world } = await scene({}, { session: { maxQueued: 2, dropPolicy: 'drop-oldest' } })
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  for (const payload of ['1', '2', '3']) app.publish('a', payload, { qos: 1 })
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['2', '3'])
  assert.deepEqual(
    world.dropped.map(({ reason }) => reason),
    ['queue-full'],
  )
})

test('a client that does not answer while awake has fallen asleep: the message waits for the next time', async () => {
  const { device, app, world } = await scene({ retry: { interval: '5s', attempts: 1 } })
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.subscribe('b/#', 0)
  sensor.sleep(300)
  app.publish('a', '1', { qos: 1 })
  app.publish('b/1', '2')
  sensor.send(wake()).only('publish')
  world.advance(5000)
  sensor.only('publish')
  world.advance(60_000)
  sensor.silent()
  assert.equal(world.counters().get('awake-unanswered'), 1)
  sensor.send(wake())
  const again = sensor.only('publish')
  assert.deepEqual([text(again), again.dup], ['1', true])
  sensor.send(puback(again))
  sensor.only('register')
  world.advance(70_000)
  sensor.take()
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['2'])
})

test('what was open when the client went to sleep is sent again when it is awake', async () => {
  const { device, app, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  app.publish('a', '1', { qos: 1 })
  sensor.only('publish')
  sensor.sleep(300)
  world.advance(60_000)
  sensor.silent()
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['1'])
})

test('an answer that comes late, while the client is asleep, still counts', async () => {
  const { device, app } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  app.publish('a', '1', { qos: 1 })
  const message = sensor.only('publish')
  sensor.sleep(300)
  sensor.send(puback(message)).silent()
  sensor.ask(wake(), 'pingresp')
})

test('a sleeping client may publish and register; it sleeps on', async () => {
  const { device, app } = await scene()
  app.subscribe('up')
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  const topicId = sensor.register('up')
  sensor.ask(publish(topicId, 'x', { qos: 1 }), 'puback')
  assert.equal(app.take()[0]?.text, 'x')
  app.publish('a', '1', { qos: 1 })
  sensor.silent()
  sensor.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['1'])
})

test('roaming while asleep: PINGREQ from a new address moves the session there', async () => {
  const { device, app, world } = await scene()
  const old = device({ address: '10.0.0.1' }).join('c1')
  old.subscribe('a')
  old.sleep(300)
  app.publish('a', '1', { qos: 1 })
  const sensor = device({ address: '10.0.0.2' })
  sensor.send(wake())
  assert.deepEqual(payloadsUntilPingresp(sensor), ['1'])
  old.silent()
  assert.equal(world.counters().get('rebound'), 1)
  assert.equal(world.core.client('c1')?.connected, true)
  world.advance(300_000)
  sensor.ask(wake(), 'pingresp')
})

test('roaming is no loss: no will, and nobody sees the client offline', async () => {
  const { device, app } = await scene()
  app.subscribe('gone')
  app.subscribe('devices/c1/status')
  const old = device()
  old.ask(connect('c1', { will: true }), 'willtopicreq')
  old.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  old.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  old.sleep(300)
  app.take()
  device().ask(wake(), 'pingresp')
  assert.deepEqual(app.take(), [])
})

test('CONNECT with CleanSession 0 from a new address goes on with the session, queue and all', async () => {
  const { device, app } = await scene()
  const old = device().join('c1', { clean: false })
  old.subscribe('a')
  old.sleep(300)
  app.publish('a', '1')
  const sensor = device().send(connect('c1', { clean: false }))
  const [connack, message] = sensor.take()
  assert.equal(connack?.type, 'connack')
  assert.equal(text(message), '1')
  old.silent()
})

test('CONNECT with CleanSession 1 from a new address begins anew, and publishes no will', async () => {
  const { device, app } = await scene()
  app.subscribe('gone')
  const old = device()
  old.ask(connect('c1', { will: true }), 'willtopicreq')
  old.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  old.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  old.subscribe('a')
  const sensor = device().join('c1', { clean: true })
  app.publish('a', 'x')
  sensor.silent()
  assert.deepEqual(app.take(), [])
})

test('an active client is followed to a new address by PINGREQ with its client id', async () => {
  const { device, app } = await scene()
  const old = device().join('c1')
  old.subscribe('a')
  const sensor = device()
  sensor.ask(wake(), 'pingresp')
  app.publish('a', '1', { qos: 1 })
  assert.equal(text(sensor.only('publish')), '1')
})

test('without roaming: a new address is a stranger, and CONNECT takes the client over', async () => {
  const { device, world } = await scene({ roaming: false })
  const old = device().join('c1', { clean: false })
  old.subscribe('a')
  device().ask(wake(), 'disconnect')
  device().join('c1', { clean: false })
  assert.equal(old.peer.closed, 'taken-over')
  assert.deepEqual(old.types(), ['disconnect'])
  assert.equal(world.core.client('c1')?.subscriptionCount, 1)
})

test('another client at the address of a sleeping one: the sleeper is lost', async () => {
  const { device, app, world } = await scene()
  app.subscribe('gone')
  const sensor = device()
  sensor.ask(connect('c1', { will: true }), 'willtopicreq')
  sensor.ask({ type: 'willtopic', qos: 0, retain: false, topic: 'gone' }, 'willmsgreq')
  sensor.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
  sensor.sleep(300)
  sensor.join('c2')
  assert.equal(app.take()[0]?.text, 'bye')
  assert.equal(world.core.client('c1'), undefined)
  assert.equal(world.core.client('c2')?.connected, true)
  sensor.ask({ type: 'pingreq', clientId: '' }, 'pingresp')
})

test('a sleeping client turns up at the address of another one', async () => {
  const { device, app, world } = await scene()
  const sleeper = device().join('c1')
  sleeper.subscribe('a')
  sleeper.sleep(300)
  app.publish('a', '1', { qos: 1 })
  const other = device().join('c2')
  other.send(wake('c1'))
  world.advance(10)
  assert.deepEqual(payloadsUntilPingresp(other), ['1'])
  assert.equal(world.core.client('c2'), undefined)
})

test('a client that sleeps arms one timer, and none once it is gone', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1')
  sensor.subscribe('a')
  sensor.sleep(300)
  assert.equal(world.wheel.size, 1)
  world.advance(450_000)
  assert.equal(world.wheel.size, 0)
})

test('a silent address is kept for as long as its client sleeps', async () => {
  const { device, world } = await scene()
  const sensor = device().join('c1').sleep(3600)
  world.advance(600_000)
  assert.equal(sensor.peer.wire.handler.onIdle?.(), true)
  world.advance(3600 * 1500)
  assert.equal(sensor.peer.wire.handler.onIdle?.(), false)
})
