/** A bridge to mosquitto: both ways, without loops, and with what waits for it over the end of either process. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Child } from '../e2e/child.ts'
import { freePort } from '../e2e/free-port.ts'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { lacking, program } from './program.ts'

const skip = without('mqtt') || lacking('mosquitto')

/** mosquitto on a port of its own, with what it keeps on disk. */
class Remote {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'omnigate-bridge-'))
  readonly #cleanup: TestContext
  #child: Child | undefined = undefined

  private constructor(port: number, cleanup: TestContext) {
    this.port = port
    this.#cleanup = cleanup
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${this.#folder}/`,
    ]
    // It drops its privileges when root starts it, and then must still reach its folder.
    writeFileSync(join(this.#folder, 'mosquitto.conf'), [...lines, 'user root', ''].join('\n'))
    cleanup.after(async () => {
      await this.stop()
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  static async start(t: TestContext): Promise<Remote> {
    const remote = new Remote(await freePort(), t)
    await remote.start()
    return remote
  }

  async start(): Promise<void> {
    this.#child = new Child(program('mosquitto'), ['-v', '-c', join(this.#folder, 'mosquitto.conf')], {}, this.#cleanup)
    await this.#child.line(/mosquitto version \S+ running/)
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGTERM')
  }
}

function bridged(remote: Remote, bridge: Record<string, unknown>): Parameters<typeof Server.start>[0] {
  return {
    broker: { bridges: [{ name: 'site', url: `mqtt://127.0.0.1:${remote.port}`, reconnect: '100ms', ...bridge }] },
    gateways: { mqtt: { listeners: [listener('tcp')] } },
  }
}

for (const version of ['3.1.1', '5'] as const) {
  test(`messages cross a bridge of version ${version} both ways, renamed, and do not come back`, { skip }, async (t) => {
    const remote = await Remote.start(t)
    const topics = [
      { topic: 'both/#', direction: 'both', qos: 2 },
      { topic: '#', direction: 'out', qos: 1, localPrefix: 'devices/', remotePrefix: 'site1/' },
      { topic: 'commands/#', direction: 'in', qos: 1, remotePrefix: 'site1/' },
    ]
    const server = await Server.start(bridged(remote, { version, topics }), t)
    await server.logged(/a bridge is connected/)
    const here = await (await App.connect(server.port('mqtt'), t)).subscribe('#', 2)
    const there = await (await App.connect(remote.port, t)).subscribe('#', 2)

    await here.publish('devices/d1/up', 'out')
    assert.equal((await there.message('the renamed message', ({ text }) => text === 'out')).topic, 'site1/d1/up')
    await there.publish('site1/commands/d1', 'in')
    assert.equal((await here.message('the command', ({ text }) => text === 'in')).topic, 'commands/d1')

    await here.publish('both/a', 'from here', { qos: 2 })
    await there.publish('both/b', 'from there', { qos: 2 })
    await there.message('what was said here', ({ text }) => text === 'from here')
    await here.message('what was said there', ({ text }) => text === 'from there')
    // A loop would have come round before this pair has.
    await here.publish('both/end', 'end here')
    await there.publish('both/end', 'end there')
    await there.message('the end', ({ text }) => text === 'end here')
    await here.message('the end', ({ text }) => text === 'end there')
    for (const app of [here, there]) {
      assert.equal(app.on('both/a').length, 1)
      assert.equal(app.on('both/b').length, 1)
    }
  })
}

test('properties cross a bridge of version 5', { skip }, async (t) => {
  const remote = await Remote.start(t)
  const server = await Server.start(bridged(remote, { topics: [{ topic: 'p/#', direction: 'both' }] }), t)
  await server.logged(/a bridge is connected/)
  const here = await (await App.connect(server.port('mqtt'), t)).subscribe('p/#')
  const there = await (await App.connect(remote.port, t)).subscribe('p/#')
  const properties = {
    contentType: 'text/plain',
    responseTopic: 'answer',
    correlationData: Buffer.from([1, 2]),
    userProperties: { a: 'ä', b: ['1', '2'] },
    messageExpiryInterval: 1000,
  }
  for (const [from, to, text] of [
    [here, there, 'out'],
    [there, here, 'in'],
  ] as const) {
    await from.client.publishAsync('p/x', text, { qos: 1, properties })
    const { packet } = await to.message(text, (message) => message.text === text)
    const { messageExpiryInterval = 0, ...rest } = packet.properties ?? {}
    const { messageExpiryInterval: _, ...expected } = properties
    const { 'omnigate-bridge': way, ...userProperties } = { ...rest.userProperties }
    assert.deepEqual({ ...rest, userProperties }, expected)
    assert.equal(typeof way, text === 'out' ? 'string' : 'undefined')
    assert.ok(messageExpiryInterval > 900 && messageExpiryInterval <= 1000)
  }
})

test('in a ring of three brokers a message goes round once, and an answer with its properties is no loop', {
  skip,
}, async (t) => {
  const remote = await Remote.start(t)
  const middle = await freePort()
  const bridge = (name: string, port: number, direction: 'in' | 'out') => ({
    name,
    url: `mqtt://127.0.0.1:${port}`,
    reconnect: '100ms',
    topics: [{ topic: 'ring/#', direction }],
  })
  // Marks, not names, tell them apart.
  const node = { name: 'same' }
  const two = await Server.start(
    {
      node,
      broker: { bridges: [bridge('to-remote', remote.port, 'out')] },
      gateways: { mqtt: { listeners: [listener('tcp', { bind: `127.0.0.1:${middle}` })] } },
    },
    t,
  )
  await two.logged(/a bridge is connected/)
  const one = await Server.start(
    {
      node,
      broker: { bridges: [bridge('to-two', middle, 'out'), bridge('from-remote', remote.port, 'in')] },
      gateways: { mqtt: { listeners: [listener('tcp')] } },
    },
    t,
  )
  const here = await (await App.connect(one.port('mqtt'), t)).subscribe('ring/#')
  const there = await (await App.connect(remote.port, t)).subscribe('ring/#')
  // Retained, so that it comes when the bridge has subscribed; and from here on, all goes round.
  await there.publish('ring/begin', 'begin', { retain: true })
  await here.message('begin', ({ text }) => text === 'begin')
  await here.publish('ring/question', 'question')
  const { packet } = await there.message('question', ({ text }) => text === 'question')
  const { properties } = packet
  assert.ok(properties?.userProperties !== undefined)
  await there.client.publishAsync('ring/answer', 'answer', { qos: 1, properties })
  await here.message('answer', ({ text }) => text === 'answer')
  const count = (app: App, wanted: string): number => app.messages.filter(({ text }) => text === wanted).length
  assert.deepEqual([count(here, 'question'), count(there, 'question')], [1, 1])
})

test('what waits for the remote broker outlives the end of both processes', { skip }, async (t) => {
  const remote = await Remote.start(t)
  const port = await freePort()
  const topics = [{ topic: 'q/#', direction: 'both', qos: 1 }]
  const config = {
    ...bridged(remote, { topics }),
    gateways: { mqtt: { listeners: [listener('tcp', { bind: `127.0.0.1:${port}` })] } },
  }
  const server = await Server.start(config, t)
  await server.logged(/a bridge is connected/)
  const there = await App.connect(remote.port, t, {
    clientId: 'there',
    more: { clean: false, properties: { sessionExpiryInterval: 600 } },
  })
  await there.subscribe('q/#')
  await there.end()
  await remote.stop()

  const here = await App.connect(port, t)
  for (let i = 0; i < 200; i++) await here.publish('q/n', String(i))
  await server.kill()
  server.launchAgain()
  await server.ready()
  await remote.start()
  await server.logged(/a bridge is connected/)
  const again = await App.connect(remote.port, t, {
    clientId: 'there',
    more: { clean: false, properties: { sessionExpiryInterval: 600 } },
  })
  await again.message('the last one', ({ text }) => text === '199')
  const numbers = [...new Set(again.on('q/n').map(({ text }) => Number(text)))]
  assert.deepEqual(
    numbers,
    Array.from({ length: 200 }, (_, i) => i),
  )
})

test('a bridge that cannot connect says so and lets the rest run', { skip }, async (t) => {
  const nobody = await freePort()
  const bridges = [{ name: 'site', url: `mqtt://127.0.0.1:${nobody}`, topics: [{ topic: 'q/#' }] }]
  const server = await Server.start({ broker: { bridges }, gateways: { mqtt: { listeners: [listener('tcp')] } } }, t)
  await server.logged(/a bridge cannot connect/)
  const app = await (await App.connect(server.port('mqtt'), t)).subscribe('q/#')
  await app.publish('q/1', 'here')
  await app.message('the message', ({ text }) => text === 'here')
})
