/** What one gateway does, or fails to do, never touches another: start, reload by SIGHUP, stop by SIGTERM. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cleanup } from './child.ts'
import { freePort, takenPort } from './free-port.ts'
import { App } from './mqtt-app.ts'
import { MqttWire } from './mqtt-wire.ts'
import { without } from './needs.ts'
import type { GatewaySection, ServerConfig } from './server.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'

/** MQTT 5.0 2.4 */
const SERVER_SHUTTING_DOWN = 0x8b

function on(port: number, more: Readonly<Record<string, unknown>> = {}): GatewaySection {
  return { use: 'mqtt', listeners: [{ type: 'tcp', bind: `127.0.0.1:${port}`, ...more }] }
}

function gateways(sections: Readonly<Record<string, GatewaySection>>): ServerConfig {
  return { gateways: sections }
}

/** Nobody accepts there (any more). */
async function isRefused(port: number): Promise<boolean> {
  const opened: (() => unknown)[] = []
  const peer = await TcpPeer.open(port, { after: (clean) => void opened.push(clean) })
  const refused = peer.socket.readyState !== 'open'
  for (const clean of opened) await clean()
  return refused
}

/** Connects, and then reads nothing any more: not even the end of the connection. */
async function deafClient(port: number, cleanup: Cleanup): Promise<void> {
  const { peer } = await MqttWire.connect(port, cleanup, { clientId: 'deaf' })
  peer.socket.pause()
}

describe('supervision', { skip: without('mqtt') }, () => {
  test('a gateway whose port is in use has failed with its reason, and the other runs', async (t) => {
    const taken = await takenPort(t)
    const server = Server.launch(gateways({ broken: on(taken), sound: on(0) }), t)
    const ready = await server.ready()
    assert.match(ready, /^ready sound tcp 127\.0\.0\.1:\d+; failed: broken$/)
    const [failure, ...more] = server.log().filter(({ level }) => level === 'error')
    assert.equal(failure?.gateway, 'broken')
    assert.match(
      failure?.reason ?? '',
      new RegExp(`listeners\\[0\\].*127\\.0\\.0\\.1:${taken} is already in use: stop the program`),
    )
    assert.deepEqual(more, [])
    const app = await App.connect(server.port('sound'), t)
    await app.subscribe('a')
    await app.publish('a', 'works')
    await app.message('the message', ({ text }) => text === 'works')
  })

  test('where no gateway can start, the process says why and ends with 1', async (t) => {
    const taken = await takenPort(t)
    const server = Server.launch(gateways({ broken: on(taken) }), t)
    assert.equal(await server.child.ended, 1)
    assert.deepEqual(server.child.out, [])
    assert.match(server.child.err.join('\n'), /already in use.*\n.*no gateway could be started/s)
  })

  test('a second bind of the same gateway frees what the first listener had bound', async (t) => {
    const [taken, free] = [await takenPort(t), await freePort()]
    const half = {
      use: 'mqtt',
      listeners: [listener('tcp', { bind: `127.0.0.1:${free}` }), listener('tcp', { bind: `127.0.0.1:${taken}` })],
    }
    await Server.start(gateways({ half, sound: on(0) }), t)
    assert.equal(await isRefused(free), true)
  })
})

describe('reload by SIGHUP', { skip: without('mqtt') }, () => {
  test('disabling, enabling and moving one gateway leaves the connections of another up', async (t) => {
    const [before, after] = [await freePort(), await freePort()]
    const server = await Server.start(gateways({ steady: on(0), other: on(before) }), t)
    const app = await App.connect(server.port('steady'), t)
    await app.subscribe('steps/#')
    const steps: string[] = []
    const stillReceives = async (step: string): Promise<void> => {
      steps.push(step)
      const publisher = await App.connect(server.port('steady'), t)
      await publisher.publish('steps/steady', step)
      await publisher.end()
      await app.message(step, ({ text }) => text === step)
      assert.deepEqual(
        app.messages.map(({ text }) => text),
        steps,
      )
    }
    await stillReceives('as started')

    const victim = await App.connect(before, t)
    assert.equal(
      (await server.reload(gateways({ steady: on(0), other: { ...on(before), enabled: false } }))).msg,
      'config reloaded',
    )
    await victim.closed()
    assert.equal(victim.goodbye?.reasonCode, SERVER_SHUTTING_DOWN)
    assert.equal(await isRefused(before), true)
    await stillReceives('other disabled')

    await server.reload(gateways({ steady: on(0), other: on(before) }))
    const returned = await App.connect(before, t)
    await stillReceives('other enabled')

    await server.reload(gateways({ steady: on(0), other: on(after) }))
    await returned.closed()
    assert.equal(await isRefused(before), true)
    const moved = await App.connect(after, t)
    await stillReceives('other moved')

    await server.reload(gateways({ steady: on(0), other: { ...on(after), maxPacketSize: '2KiB' } }))
    await moved.closed()
    const restarted = await App.connect(after, t)
    await assert.rejects(restarted.publish('big', Buffer.alloc(4096)), 'the new limit of the restarted gateway')
    await stillReceives('other restarted')

    await server.reload(gateways({ steady: on(0) }))
    assert.equal(await isRefused(after), true)
    await stillReceives('other removed')
    assert.equal(app.connected, true)
  })

  test('a persistent session outlives the restart of its gateway, and gets what came meanwhile', async (t) => {
    const port = await freePort()
    const server = await Server.start(gateways({ steady: on(0), other: on(port) }), t)
    const more = { clean: false, properties: { sessionExpiryInterval: 600 } }
    const first = await App.connect(port, t, { clientId: 'sleeper', more })
    await first.subscribe('letters', 1)
    await server.reload(gateways({ steady: on(0), other: { ...on(port), enabled: false } }))
    await first.closed()
    const publisher = await App.connect(server.port('steady'), t)
    await publisher.publish('letters', 'while disabled')
    await server.reload(gateways({ steady: on(0), other: on(port) }))
    const second = await App.connect(port, t, { clientId: 'sleeper', more })
    assert.equal(second.connack?.sessionPresent, true)
    await second.message('the letter', ({ text }) => text === 'while disabled')
    await server.reload(gateways({ steady: on(0), other: { ...on(port), maxPacketSize: '2KiB' } }))
    await second.closed()
    await publisher.publish('letters', 'while restarted')
    const third = await App.connect(port, t, { clientId: 'sleeper', more })
    assert.equal(third.connack?.sessionPresent, true)
    await third.message('the second letter', ({ text }) => text === 'while restarted')
  })

  test('one listener of a gateway moves, and the connections of its other listener stay', async (t) => {
    const [first, second] = [await freePort(), await freePort()]
    const two = (port: number): ServerConfig =>
      gateways({ mqtt: { listeners: [listener('tcp', { name: 'steady' }), listener('tcp', { bind: `127.0.0.1:${port}` })] } })
    const server = await Server.start(two(first), t)
    const app = await App.connect(server.port('mqtt'), t)
    const moving = await App.connect(first, t)
    await server.reload(two(second))
    await moving.closed()
    const watcher = await App.connect(second, t)
    await app.subscribe('a')
    await watcher.publish('a', 'still here')
    await app.message('the message', ({ text }) => text === 'still here')
  })

  test('clients of a listener that is closed are told, and leave their will', async (t) => {
    const [first, second] = [await freePort(), await freePort()]
    const two = (port: number): ServerConfig =>
      gateways({ mqtt: { listeners: [listener('tcp', { name: 'steady' }), listener('tcp', { bind: `127.0.0.1:${port}` })] } })
    const server = await Server.start(two(first), t)
    const watcher = await (await App.connect(server.port('mqtt'), t)).subscribe('wills/#')
    const will = { topic: 'wills/moving', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const moving = await App.connect(first, t, { more: { will } })
    await server.reload(two(second))
    await moving.closed()
    assert.equal(moving.goodbye?.reasonCode, SERVER_SHUTTING_DOWN)
    await watcher.message('the will', ({ text }) => text === 'gone')
  })

  test('a config with problems changes nothing, and is named with its place', async (t) => {
    const server = await Server.start(gateways({ steady: on(0) }), t)
    const app = await App.connect(server.port('steady'), t)
    const outcome = await server.reload(gateways({ steady: { ...on(0), maxPackedSize: '1MiB' } }))
    assert.equal(outcome.code, 'reload-failed')
    assert.match(server.child.err.join('\n'), /gateways\.steady\.maxPackedSize.*maxPacketSize/)
    await app.settled()
    assert.equal(app.connected, true)
  })

  test('a gateway that cannot bind its new port fails, and comes back with the next good config', async (t) => {
    const [taken, free] = [await takenPort(t), await freePort()]
    const server = await Server.start(gateways({ steady: on(0), other: on(free) }), t)
    const app = await App.connect(server.port('steady'), t)
    await server.reload(gateways({ steady: on(0), other: on(taken) }))
    assert.match(server.child.err.join('\n'), new RegExp(`"gateway":"other".*${taken} is already in use`))
    await server.reload(gateways({ steady: on(0), other: on(free) }))
    await App.connect(free, t)
    await app.settled()
    assert.equal(app.connected, true)
  })
})

describe('SIGTERM', { skip: without('mqtt') }, () => {
  test('clients are told why, listeners close, and the exit code is 0', async (t) => {
    const server = await Server.start(gateways({ mqtt: { listeners: [listener('tcp'), listener('ws', { path: '/mqtt' })] } }), t)
    const [tcp, ws] = [server.port('mqtt'), server.port('mqtt', 'ws')]
    const app = await App.connect(tcp, t)
    const web = await App.connect(`ws://127.0.0.1:${ws}/mqtt`, t)
    const older = await App.connect(tcp, t, { version: 4 })
    const silent = await TcpPeer.open(tcp, t)
    assert.equal(await server.stop(), 0)
    for (const client of [app, web]) {
      await client.closed()
      assert.equal(client.goodbye?.reasonCode, SERVER_SHUTTING_DOWN)
    }
    await older.closed()
    await silent.untilClosed()
    assert.equal(await isRefused(tcp), true)
    assert.equal(await isRefused(ws), true)
  })

  test('a client that does not read does not hold up the stop', async (t) => {
    const server = await Server.start({ node: { drainTimeout: '1s' }, ...gateways({ mqtt: on(0) }) }, t)
    await deafClient(server.port('mqtt'), t)
    assert.equal(await server.stop(), 0)
  })

  test('a second signal ends it at once, with 1', async (t) => {
    const server = await Server.start({ node: { drainTimeout: '60s' }, ...gateways({ mqtt: on(0) }) }, t)
    await deafClient(server.port('mqtt'), t)
    server.child.signal('SIGTERM')
    await server.logged(/^stopping/)
    assert.equal(await server.stop('SIGINT'), 1)
  })
})
