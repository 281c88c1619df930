/** What no truck should send, on a real connection: each counted by name, answered as JT/T 808 says or closed, and no harm to the next frame. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App, Sys } from './mqtt-app.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'
import { bytesOf, FRAMES, frameOf, Terminal } from './terminal.ts'
import { until } from './waiting.ts'

/** JT/T 808 8.2 */
const FAILED = 'result 1'
const BAD_MESSAGE = 'result 2'

/** `auth.maxAttempts`, and `parts.maxTotalBytes` small enough to reach. */
const ATTEMPTS = 16
const trucks = { use: 'jt808', parts: { maxTotalBytes: '64KiB' }, listeners: [listener('tcp')] }
const strict = { use: 'jt808', foreignPhone: 'close', listeners: [listener('tcp')] }

let server: Server

/** Waits until the gateway has counted so many. */
async function counted(name: string, count: number, gateway = 'trucks'): Promise<void> {
  let seen = 0
  await until(
    () => `${gateway} to count ${count} ${name}: ${seen}`,
    async () => {
      seen = (await Sys.read(server.port('mqtt'))).at(`gateways/${gateway}/${name}`)
      return seen === count
    },
  )
}

/** The answer to a frame; the frame that follows it is served, too. */
async function answerTo(terminal: Terminal, id: number, serial: number): Promise<string | undefined> {
  terminal.peer.send(frameOf(0x0002, serial + 1, Buffer.alloc(0)))
  await terminal.acknowledged(0x0002, serial + 1)
  return terminal.resultOf(id, serial)
}

describe('what no truck should send', { skip: without('mqtt', 'jt808') }, () => {
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, trucks, strict } })
  })
  after(() => server.stop())

  test('a wrong check code, a bad escape and a length that is not the real one are counted and not answered', async (t) => {
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    const location = bytesOf(FRAMES.location)
    const wrong = Buffer.from(location)
    wrong[wrong.length - 2] = (wrong.at(-2) as number) ^ 1
    terminal.peer.send(wrong)
    terminal.peer.send(Buffer.concat([location.subarray(0, 20), Buffer.of(0x7d, 0x03), location.subarray(20)]))
    terminal.peer.send(frameOf(0x0200, 4, Buffer.alloc(20), { length: 28 }))
    terminal.peer.send(frameOf(0x0200, 4, Buffer.alloc(30), { length: 28 }))
    assert.equal(await answerTo(terminal, 0x0200, 4), undefined)
    await counted('malformed/bad-check-code', 1)
    await counted('malformed/bad-escape', 1)
    await counted('malformed/bad-length', 2)
  })

  test('a body that is too short for its message is a bad message', async (t) => {
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    terminal.peer.send(frameOf(0x0200, 4, Buffer.alloc(27)))
    assert.equal(await answerTo(terminal, 0x0200, 4), BAD_MESSAGE)
    await counted('malformed/bad-body', 1)
  })

  test('a part of nothing is a bad message, one of 65535 fails, and memory for parts ends', async (t) => {
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    const part = (serial: number, total: number, sn: number, octets = 1) =>
      terminal.peer.send(frameOf(0x0701, serial, Buffer.alloc(octets), { part: { total, sn } }))
    part(10, 0, 0)
    assert.equal(await answerTo(terminal, 0x0701, 10), BAD_MESSAGE)
    part(20, 2, 3)
    assert.equal(await answerTo(terminal, 0x0701, 20), BAD_MESSAGE)
    await counted('malformed/bad-part', 2)
    part(30, 65_535, 1)
    assert.equal(await answerTo(terminal, 0x0701, 30), FAILED)
    await counted('counters/too-many-parts', 1)
    for (let sn = 1; sn <= 70; sn++) part(100 + sn, 1000, sn, 1000)
    assert.equal(await answerTo(terminal, 0x0701, 170), FAILED)
    assert.equal(terminal.resultOf(0x0701, 101), 'ok')
    // 64 KiB hold 52 parts of 1000 octets with what it takes to keep each.
    await counted('counters/no-memory', 70 - Math.floor(65_536 / 1256))
  })

  test('a frame that never ends is cut off when it is longer than any can be', async (t) => {
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    terminal.peer.send(Buffer.of(0x7e))
    const chunk = Buffer.alloc(64, 0x41)
    await until('the end of a frame that has none', () => {
      terminal.peer.send(chunk)
      return terminal.peer.closed
    })
    await counted('malformed/frame-too-long', 1)
  })

  test('a foreign phone number is ignored, or ends the connection, and reports for nobody', async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe('devices/+/up/telemetry')
    const foreign = frameOf(0x0200, 9, bytesOf(FRAMES.southWest).subarray(13, 41), { phone: '013900000000' })
    const terminal = await Terminal.signOn(server.port('trucks'), t)
    terminal.peer.send(foreign)
    assert.equal(await answerTo(terminal, 0x0200, 9), undefined)
    await counted('counters/foreign-phone', 1)
    const other = await Terminal.signOn(server.port('strict'), t)
    other.peer.send(foreign)
    await other.peer.untilClosed()
    await counted('counters/foreign-phone', 1, 'strict')
    await counted('sessions/closed/protocol-error', 1, 'strict')
    await app.settled()
    assert.deepEqual(app.messages, [])
  })

  test('a flood of registrations ends the connection after the last that it may try', async (t) => {
    const terminal = new Terminal(await TcpPeer.open(server.port('trucks'), t))
    terminal.peer.send(bytesOf(...Array.from({ length: 1000 }, () => FRAMES.register)))
    await terminal.peer.untilClosed()
    assert.equal(terminal.frames().filter(({ id }) => id === 0x8100).length, ATTEMPTS)
    await counted('counters/too-many-attempts', 1)
    await counted('sessions/closed/not-authorized', 1)
  })

  test('reports before the terminal has said who it is are ignored and counted', async (t) => {
    const terminal = new Terminal(await TcpPeer.open(server.port('trucks'), t))
    terminal.peer.send(bytesOf(FRAMES.location, FRAMES.southWest, FRAMES.register))
    await terminal.frame(0x8100)
    assert.equal(terminal.frames().length, 1)
    await counted('counters/unauthenticated', 2)
  })
})
