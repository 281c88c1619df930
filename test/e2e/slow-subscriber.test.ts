/** A subscriber that stops reading holds up nobody, costs a bounded amount of memory, and goes on when it reads again. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { describe, test } from 'node:test'
import { App, Sys } from './mqtt-app.ts'
import { MqttWire } from './mqtt-wire.ts'
import { without } from './needs.ts'
import type { ListenerSection } from './server.ts'
import { listener, Server } from './server.ts'
import { until } from './waiting.ts'

const MIB = 1024 * 1024
const PAYLOAD_BYTES = 32 * 1024
/** How far the publisher may be ahead of the subscriber that reads: it must not be the publisher that overruns it. */
const AHEAD = 16

/** Publishes so many MiB to `flow`, as fast as the reading subscriber takes them; nothing of it is lost. */
async function flow(publisher: App, reader: App, mib: number): Promise<void> {
  const count = (mib * MIB) / PAYLOAD_BYTES
  let received = 0
  let expected = 0
  const check = (topic: string, payload: Buffer): void => {
    if (topic !== 'flow') return
    if (payload.readUInt32BE(0) === expected) expected++
    received++
  }
  reader.client.on('message', check)
  for (let sent = 0; sent < count; sent++) {
    const payload = Buffer.alloc(PAYLOAD_BYTES)
    payload.writeUInt32BE(sent, 0)
    await publisher.publish('flow', payload, { qos: 0 })
    if (sent - received >= AHEAD) await until('the reading subscriber', () => sent - received < AHEAD)
    reader.messages.length = 0
  }
  await until('the last message', () => received >= count)
  reader.client.off('message', check)
  assert.deepEqual([received, expected], [count, count], 'everything once and in order')
}

interface Scene {
  readonly server: Server
  readonly publisher: App
  readonly reader: App
  readonly stalled: MqttWire
}

async function scene(t: TestContext, listeners: readonly ListenerSection[], qos: 0 | 1): Promise<Scene> {
  const server = await Server.start({ gateways: { mqtt: { listeners, session: { maxQueuedBytes: '1MiB' } } } }, t)
  const port = server.port('mqtt')
  const publisher = await App.connect(port, t)
  const reader = await (await App.connect(port, t)).subscribe('flow', 0)
  const stalled = await (await MqttWire.connect(port, t, { clientId: 'stalled' })).subscribe('#', qos)
  stalled.peer.socket.pause()
  return { server, publisher, reader, stalled }
}

/** Reads again: what was kept comes, and then what is new. */
async function recovers({ stalled, publisher }: Scene): Promise<void> {
  stalled.peer.socket.resume()
  await until(
    () => `a new message at the one that reads again; the last ones were ${stalled.messages.slice(-3).map(({ topic }) => topic)}`,
    async () => {
      await publisher.publish('news', 'new')
      return stalled.messages.some(({ topic }) => topic === 'news')
    },
  )
}

describe('a subscriber that stops reading', { skip: without('mqtt') }, () => {
  test('others get 200 MiB in full, memory stays bounded, drops are counted, and it recovers', async (t) => {
    const stage = await scene(t, [listener('tcp')], 0)
    const { server, publisher, reader } = stage
    await flow(publisher, reader, 20)
    const beforeBytes = server.rssBytes()
    await flow(publisher, reader, 200)
    const grownBytes = server.rssBytes() - beforeBytes
    assert.ok(grownBytes < 200 * MIB, `${Math.round(grownBytes / MIB)} MiB more`)
    const sys = await Sys.read(server.port('mqtt'))
    assert.ok(sys.at('publish/messages/dropped') > 1000)
    assert.equal(sys.at('publish/messages/dropped'), sys.at('publish/messages/dropped/queue-full'))
    assert.ok(sys.at('store/messages/bytes') <= MIB, `${sys.at('store/messages/bytes')} bytes are queued`)
    assert.ok(sys.at('gateways/mqtt/counters/congested') > 0)
    await recovers(stage)
  })

  test('with QoS 1 too it holds up nobody, and recovers', async (t) => {
    const stage = await scene(t, [listener('tcp')], 1)
    await flow(stage.publisher, stage.reader, 40)
    await recovers(stage)
  })

  test('over a WebSocket listener the others are served as well', async (t) => {
    const stage = await scene(t, [listener('tcp'), listener('ws', { path: '/mqtt' })], 0)
    const web = await App.connect(`ws://127.0.0.1:${stage.server.port('mqtt', 'ws')}/mqtt`, t)
    await web.subscribe('flow', 0)
    await flow(stage.publisher, web, 40)
    await recovers(stage)
  })

  test('a high-water mark above the default is no dead end', async (t) => {
    const stage = await scene(t, [listener('tcp', { limits: { highWater: '2MiB', maxQueuedBytes: '8MiB' } })], 0)
    await flow(stage.publisher, stage.reader, 40)
    await recovers(stage)
  })
})
