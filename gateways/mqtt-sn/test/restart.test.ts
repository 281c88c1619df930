/** What a client finds again when the process was restarted: its session, ids, receipts, will, and that it slept. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { World } from '#testing'
import type { Message } from '../codec/index.ts'
import { connect, type Device, puback, publish, regack, type Scene, scene, text } from './device.ts'
import { Device2 } from './v2-device.ts'

/** Processes one after the other on one directory: `crash` ends them without a word, `stop` in good order. */
class History {
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'omnigate-mqtt-sn-'))
  #stage: Scene | undefined = undefined

  constructor(t: TestContext) {
    t.after(() => {
      this.#stage?.world.close()
      rmSync(this.#dataDir, { recursive: true })
    })
  }

  async start(config: object = {}): Promise<Scene> {
    this.#stage = await scene(config, {}, new World({ dataDir: this.#dataDir }))
    return this.#stage
  }

  async crash(config: object = {}): Promise<Scene> {
    this.#stage?.world.close()
    return await this.start(config)
  }

  async stop(): Promise<Scene> {
    await this.#stage?.gateway.close()
    return await this.crash()
  }
}

const wake: Message = { type: 'pingreq', clientId: 'c1' }

function joinWithWill(device: Device): void {
  device.ask(connect('c1', { clean: false, will: true }), 'willtopicreq')
  device.ask({ type: 'willtopic', qos: 1, retain: false, topic: 'gone' }, 'willmsgreq')
  device.ask({ type: 'willmsg', payload: Buffer.from('bye') }, 'connack')
}

for (const end of ['crash', 'stop'] as const) {
  test(`a sleeping client wakes up after a ${end}, from a new address: what waited comes by its ids`, async (t) => {
    const history = new History(t)
    const before = await history.start()
    const sensor = before.device().join('c1', { clean: false })
    sensor.subscribe('news/+', 1)
    const own = sensor.register('up')
    before.app.publish('news/1', 'zero', { qos: 1 })
    sensor.send(regack(sensor.only('register')))
    const first = sensor.only('publish')
    sensor.send(puback(first)).sleep(600)
    before.app.publish('news/1', 'one', { qos: 1 })
    before.app.publish('news/2', 'two', { qos: 1 })

    const { device, world, app } = await history[end]()
    const again = device({ address: '10.0.0.9' }).send(wake)
    world.advance(1)
    const message = again.only('publish')
    assert.deepEqual([text(message), message.topicId], ['one', first.topicId], 'no REGISTER: the id is remembered')
    again.send(puback(message))
    again.send(regack(again.only('register')))
    again.ask(puback(again.only('publish')), 'pingresp')
    app.subscribe('up')
    again.ask(publish(own, 'x', { qos: 1 }), 'puback')
    assert.equal(app.take()[0]?.text, 'x')
    world.advance(900_000)
    assert.equal(again.peer.closed, 'keepalive-timeout')
  })
}

test('who did not sleep, or is not known, is told to connect; nobody else is disturbed', async (t) => {
  const history = new History(t)
  const before = await history.start()
  before.device().join('c1', { clean: false })
  before.device().join('gone', { clean: false }).ask({ type: 'disconnect', duration: undefined }, 'disconnect')
  before.device().join('clean').sleep(600)
  const { device, world } = await history.crash()
  const app = world.app('c2')
  for (const clientId of ['c1', 'gone', 'clean', 'c2', 'nobody']) {
    const stranger = device()
    stranger.ask({ type: 'pingreq', clientId }, 'disconnect')
    assert.notEqual(stranger.peer.closed, undefined)
  }
  assert.equal(app.client.connected, true)
  assert.equal(world.core.client('c1')?.connected, false)
  assert.equal(world.counters().get('unknown-sender'), 5)
})

test('CONNECT with CleanSession 0 finds ids, subscriptions and the old will; 1 finds nothing', async (t) => {
  const history = new History(t)
  const before = await history.start()
  const sensor = before.device()
  joinWithWill(sensor)
  const topicId = sensor.subscribe('news', 1)

  const after = await history.crash()
  after.app.subscribe('gone', { qos: 1 })
  const again = after.device().join('c1', { clean: false })
  after.app.publish('news', 'x', { qos: 1 })
  const message = again.only('publish')
  assert.equal(message.topicId, topicId)
  again.send(puback(message))
  after.world.advance(90_000)
  assert.equal(after.app.take()[0]?.text, 'bye')

  const last = await history.crash()
  const anew = last.device().join('c1', { clean: true })
  anew.ask(publish(topicId, 'x', { qos: 1 }), 'puback')
  last.app.publish('news', 'x', { qos: 1 })
  anew.silent()
})

test('a restart is no loss: the will waits for as long as the client may be silent', async (t) => {
  const history = new History(t)
  const before = await history.start()
  const sensor = before.device()
  joinWithWill(sensor)
  sensor.sleep(600)

  const after = await history.stop()
  after.app.subscribe('gone', { qos: 1 })
  after.world.advance(100_000)
  const again = after.device().send(wake)
  after.world.advance(1)
  again.only('pingresp')
  after.world.advance(890_000)
  assert.deepEqual(after.app.take(), [])

  const last = await history.crash()
  last.app.subscribe('gone', { qos: 1 })
  last.world.advance(899_000)
  assert.deepEqual(last.app.take(), [])
  last.world.advance(2_000)
  assert.equal(last.app.take()[0]?.text, 'bye')
})

test('QoS 2 is published once, also when the process ended between PUBLISH and PUBREL', async (t) => {
  const history = new History(t)
  const before = await history.start()
  const sensor = before.device().join('c1', { clean: false })
  const message = publish(sensor.register('a'), 'x', { qos: 2, messageId: 5 })
  sensor.ask(message, 'pubrec')

  const after = await history.crash()
  after.app.subscribe('a', { qos: 2 })
  const again = after.device().join('c1', { clean: false })
  again.ask({ ...message, dup: true } as Message, 'pubrec')
  again.ask({ type: 'pubrel', messageId: 5 }, 'pubcomp')
  assert.deepEqual(after.app.take(), [])

  const last = await history.crash()
  last.app.subscribe('a', { qos: 2 })
  last.device().join('c1', { clean: false }).ask(message, 'pubrec')
  assert.equal(last.app.take().length, 1, 'a released id is free')
})

test('version 2.0: a session goes on with its aliases', async (t) => {
  const history = new History(t)
  const config = { version: '2.0' }
  const connecting = 'CONNECT protocol=2 clientId=c1 packetId=1 keepAlive=60 expiry=3600'
  const before = await history.start(config)
  const sensor = new Device2(before.gateway, '10.0.0.1', undefined)
  sensor.ask(connecting, 'CONNACK packetId=1 reason=0')
  sensor.ask('SUBSCRIBE packetId=2 qos=1 topic=news', 'SUBACK packetId=2 alias=1025 reason=1')
  sensor.ask('SLEEPREQ packetId=3 duration=600 retainAliases', 'SLEEPRESP packetId=3 reason=0')

  const after = await history.crash(config)
  after.app.publish('news', 'x', { qos: 1 })
  const again = new Device2(after.gateway, '10.0.0.2', undefined)
  again.ask('PINGREQ packetId=4', 'DISCONNECT reason=244')
  const back = new Device2(after.gateway, '10.0.0.3', undefined).send(connecting)
  assert.deepEqual(back.take(), ['CONNACK sessionPresent packetId=1 reason=0', 'PUBLISH qos=1 packetId=1 alias=1025 "x"'])
})
