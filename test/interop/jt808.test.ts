/** JT/T 808 on a real connection: a terminal that sends what the standard says, and an application that sees it by MQTT. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { TcpPeer } from '../e2e/tcp-peer.ts'
import { bytesOf, FRAMES, frameOf, PHONE, Terminal } from '../e2e/terminal.ts'
import { until } from '../e2e/waiting.ts'

interface Envelope {
  readonly v: number
  readonly device: string
  readonly protocol: string
  readonly gateway: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const TELEMETRY = `devices/${PHONE}/up/telemetry`
const EVENT = `devices/${PHONE}/up/event`
const RESPONSE = `devices/${PHONE}/up/response`
const COMMAND = `devices/${PHONE}/down/command`

/** 8.6 of the 2013 edition: what FRAMES.location says. */
const LOCATION = {
  lat: 22.54321,
  lon: 114.05789,
  alt_m: 50,
  speed_kmh: 60.5,
  heading_deg: 90,
  time: '2026-11-22T05:05:01Z',
}

function envelopes(app: App, topic: string): Envelope[] {
  return app.on(topic).map(({ text }) => JSON.parse(text) as Envelope)
}

describe('a JT/T 808 terminal', { skip: without('mqtt', 'jt808') }, () => {
  let server: Server
  before(async () => {
    server = await Server.start({
      gateways: { mqtt: { listeners: [listener('tcp')] }, trucks: { use: 'jt808', listeners: [listener('tcp')] } },
    })
  })
  after(() => server.stop())

  for (const way of ['in one write', 'byte by byte'] as const) {
    test(`registers, authenticates and reports ${way}: each location is seen once`, async (t) => {
      const app = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/+/up/telemetry')
      await app.subscribe(EVENT)
      const peer = await TcpPeer.open(server.port('trucks'), t)
      const terminal = new Terminal(peer)
      const bytes = bytesOf(FRAMES.register, FRAMES.authenticate, FRAMES.location, FRAMES.southWest, FRAMES.escaped)
      if (way === 'in one write') peer.send(bytes)
      else await peer.sendByteByByte(bytes)
      assert.equal((await terminal.frame(0x8100)).body[2], 0)
      await terminal.acknowledged(0x0102, 3)
      for (const serial of [4, 5, 0x7d]) await terminal.acknowledged(0x0200, serial)
      await app.settled()
      const locations = envelopes(app, TELEMETRY)
      assert.equal(locations.length, 3)
      for (const { v, device, protocol, gateway, type } of locations) {
        assert.deepEqual([v, device, protocol, gateway, type], [1, PHONE, 'jt808', 'trucks', 'location'])
      }
      const [north, south, escaped] = locations
      assert.deepEqual({ ...north?.data, ...LOCATION }, north?.data)
      assert.deepEqual([south?.data['lat'], south?.data['lon']], [-13.02566, -44.230088])
      assert.equal(escaped?.data['alt_m'], 0x7d)
      const registered = envelopes(app, EVENT).find(({ type }) => type === 'registered')
      assert.equal(registered?.data['plate'], '粤B12345')
      // One frame each, and nothing else: serial numbers of the platform's frames go up one by one.
      assert.deepEqual(
        terminal.frames().map(({ id, serial }) => [id, serial]),
        [0x8100, 0x8001, 0x8001, 0x8001, 0x8001].map((id, index) => [id, index]),
      )
    })
  }

  test('a location that is sent again is acknowledged again and published once', async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe(TELEMETRY)
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    terminal.peer.send(bytesOf(FRAMES.location, FRAMES.location))
    terminal.peer.send(bytesOf(FRAMES.southWest))
    await terminal.acknowledged(0x0200, 5)
    await app.settled()
    assert.equal(terminal.frames().filter(({ id, body }) => id === 0x8001 && body.readUInt16BE(0) === 4).length, 2)
    assert.equal(envelopes(app, TELEMETRY).length, 2)
  })

  test('a text for the driver reaches the terminal, and its answer becomes the response', async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe(RESPONSE)
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    await app.publish(COMMAND, JSON.stringify({ id: 'm1', name: 'message', args: { text: '你好' } }))
    const text = await terminal.frame(0x8300)
    assert.equal(text.body.subarray(1).toString('hex'), 'c4e3bac3', 'GBK')
    const answer = Buffer.alloc(5)
    answer.writeUInt16BE(text.serial, 0)
    answer.writeUInt16BE(0x8300, 2)
    terminal.peer.send(frameOf(0x0001, 10, answer))
    const { text: response } = await app.message('the response', ({ topic }) => topic === RESPONSE)
    assert.deepEqual(JSON.parse(response), { id: 'm1', device: PHONE, ok: true, result: {} })
  })

  test('a command that the terminal refuses, ignores or never gets has one response too', async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe(RESPONSE)
    const send = async (id: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> =>
      app.publish(COMMAND, JSON.stringify({ id, name: 'message', args: { text: 'x' }, ...more }))
    const codeOf = async (id: string): Promise<string> => {
      const isIt = (text: string): boolean => (JSON.parse(text) as { id: string }).id === id
      const { text } = await app.message(`response to ${id}`, (message) => isIt(message.text))
      return (JSON.parse(text) as { error: { code: string } }).error.code
    }
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    await send('refused')
    const { serial } = await terminal.frame(0x8300)
    const answer = Buffer.of(0, 0, 0x83, 0x00, 1)
    answer.writeUInt16BE(serial, 0)
    terminal.peer.send(frameOf(0x0001, 11, answer))
    assert.equal(await codeOf('refused'), 'refused')

    await send('ignored', { timeout_s: 1 })
    assert.equal(await codeOf('ignored'), 'timeout')

    await send('unknown', { name: 'no-such-command' })
    assert.equal(await codeOf('unknown'), 'unsupported')

    await send('cut', { timeout_s: 60 })
    await until('the text for the driver', () => terminal.frames().filter(({ id }) => id === 0x8300).length >= 3)
    terminal.peer.socket.resetAndDestroy()
    assert.equal(await codeOf('cut'), 'offline')

    await send('late')
    assert.equal(await codeOf('late'), 'offline')
    await app.settled()
    assert.equal(app.on(RESPONSE).length, 5, 'exactly one each')
  })
})
