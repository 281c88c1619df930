/** What a listener does when its bounds are reached: connections, rates, and readers that do not read. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createListener } from '../../../src/transport/listener.ts'
import { type Bound, bind, closed, dial, Received, type Recorder, turns } from './loopback.ts'

const MIB = 1024 ** 2

/** A client that connects and never reads. */
async function deaf(t: TestContext, bound: Bound): Promise<{ client: Socket; peer: Recorder }> {
  const index = bound.peers.length
  const client = await dial(t, bound)
  client.pause()
  return { client, peer: await bound.peer(index) }
}

describe('connection limits', () => {
  it('refuses connections above the limit, and accepts again when one has gone', async (t) => {
    const bound = await bind(t, { limits: { maxConnections: 2 } })
    const [first] = [await dial(t, bound), await dial(t, bound)]
    await bound.peer(1)
    await closed(await dial(t, bound))
    const { stats } = bound.listener
    assert.deepEqual([stats.current, stats.accepted, stats.refusedLimit], [2, 2, 1])
    first?.end()
    await (await bound.peer()).closed()
    await dial(t, bound)
    await bound.peer(2)
    assert.deepEqual([stats.current, stats.accepted, stats.refusedLimit], [2, 3, 1])
  })

  it('shares the limit of the process between listeners', async (t) => {
    const bound = await bind(t, { total: { maxConnections: 1 } })
    await dial(t, bound)
    await bound.peer()
    const second = createListener(bound.listener.options, bound.total)
    t.after(() => second.close())
    await second.listen(() => assert.fail('not to be accepted'))
    const client = connect({ host: '127.0.0.1', port: Number(second.address.split(':')[1]) })
    client.on('error', () => {})
    await closed(client)
    assert.equal(second.stats.refusedLimit, 1)
    assert.equal(bound.total.current, 1)
  })

  it('refuses what comes faster than the connect rate', async (t) => {
    const bound = await bind(t, { limits: { maxConnectRate: 0.001 } })
    await dial(t, bound)
    await bound.peer()
    for (let i = 0; i < 3; i++) await closed(await dial(t, bound))
    const { stats } = bound.listener
    assert.deepEqual([stats.accepted, stats.refusedRate, stats.refusedLimit], [1, 3, 0])
  })

  it('survives running out of file descriptors', async (t) => {
    const script = import.meta.url.endsWith('.ts') ? 'descriptors-child.ts' : 'descriptors-child.js'
    const child = fork(new URL(script, import.meta.url), { execPath: '/bin/sh', execArgv: limitedNode(80) })
    t.after(() => child.kill())
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    const first = connect({ host: '127.0.0.1', port })
    const received = new Received(first)
    await once(first, 'connect')
    const crowd = Array.from({ length: 150 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}))
    t.after(() => {
      for (const socket of [first, ...crowd]) socket.destroy()
    })
    const outcomes = await Promise.all(
      crowd.map(
        (socket) =>
          new Promise<string>((resolve) => {
            socket.once('connect', () => socket.write('?'))
            socket.once('data', () => resolve('served'))
            socket.once('close', () => resolve('closed'))
          }),
      ),
    )
    assert.ok(outcomes.includes('served'))
    assert.ok(outcomes.includes('closed'))
    first.write('still there?')
    await received.until(() => received.text === 'still there?')
    for (const socket of crowd) socket.destroy()
    for (let attempt = 0; ; attempt++) {
      const later = connect({ host: '127.0.0.1', port })
      const echo = new Received(later)
      later.write('again')
      await echo.until(() => echo.length > 0 || echo.closed)
      later.destroy()
      if (echo.text === 'again') break
      assert.ok(attempt < 1000, 'descriptors are not given back')
    }
  })
})

/** Arguments of a shell that runs node with fewer descriptors. */
function limitedNode(descriptors: number): string[] {
  return ['-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', process.execPath, ...process.execArgv]
}

describe('rates', () => {
  it('does not read a stream faster than its byte rate', async (t) => {
    const bound = await bind(t, { limits: { maxByteRate: 100_000 } })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { stats } = bound.listener
    const client = await dial(t, bound)
    const peer = await bound.peer()
    client.write(Buffer.alloc(200_000))
    await peer.until(() => stats.throttled === 1)
    const seen = peer.bytes.length
    assert.ok(seen > 100_000 - 65_536 && seen < 200_000, `${seen} bytes at once`)
    await turns(10)
    assert.equal(peer.bytes.length, seen)
    for (let i = 0; i < 10_000 && peer.bytes.length < 200_000; i++) {
      t.mock.timers.tick(10_000)
      await turns(1)
    }
    assert.equal(peer.bytes.length, 200_000)
    assert.ok(stats.throttled >= 2)
  })

  it('stays paused when the handler paused, whatever the byte rate says', async (t) => {
    const bound = await bind(t, { limits: { maxByteRate: 1000 } })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const client = await dial(t, bound)
    const peer = await bound.peer()
    client.write(Buffer.alloc(2000))
    await peer.until(() => peer.bytes.length === 2000)
    peer.wire.pause()
    client.write('later')
    t.mock.timers.tick(2000)
    await turns(10)
    assert.equal(peer.bytes.length, 2000)
    peer.wire.resume()
    await peer.until(() => peer.bytes.length === 2005)
  })
})

describe('a reader that does not read', () => {
  it('is destroyed when too much waits for it, and costs no one else', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: MIB } })
    const { peer } = await deaf(t, bound)
    const other = await dial(t, bound)
    const received = new Received(other)
    const second = await bound.peer(1)
    const message = Buffer.alloc(1000, 'm')
    let most = 0
    let rounds = 0
    const before = process.memoryUsage()
    while (peer.closes.length === 0) {
      assert.ok(rounds++ < 2000, 'it is never destroyed')
      for (let i = 0; i < 100; i++) {
        peer.wire.send(message, 0, message.length)
        most = Math.max(most, peer.wire.queuedBytes)
      }
      second.wire.send(message, 0, message.length)
      await turns(1)
    }
    assert.equal(await peer.closed(), 'congested')
    assert.ok(most <= MIB + 262_144 + 100_000, `${most} bytes were queued`)
    const { rss } = process.memoryUsage()
    assert.ok(rss - before.rss < 64 * MIB, `${rss - before.rss} bytes more memory`)
    assert.equal(bound.listener.stats.congested, 1)
    assert.equal(bound.total.queuedBytes, 0)
    await received.until(() => received.length === rounds * 1000)
    second.wire.send(message, 0, 10)
    await received.until(() => received.length === rounds * 1000 + 10)
  })

  it('is destroyed when all devices together have too much waiting', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 64 * MIB }, total: { maxQueuedBytes: 2 * MIB } })
    const peers = [await deaf(t, bound), await deaf(t, bound), await deaf(t, bound)].map(({ peer }) => peer)
    const message = Buffer.alloc(50_000, 'm')
    for (let rounds = 0; peers.every((peer) => peer.closes.length === 0); rounds++) {
      assert.ok(rounds < 5000, 'none is destroyed')
      for (const { wire } of peers) wire.send(message, 0, message.length)
      await turns(1)
    }
    const congested = peers.filter((peer) => peer.closes[0]?.cause === 'congested')
    assert.ok(congested.length >= 1 && congested.length < 3)
    assert.equal(bound.listener.stats.congested, congested.length)
    assert.ok(bound.total.queuedBytes <= 2 * MIB)
    const left = peers.filter((peer) => peer.closes.length === 0)
    assert.equal(
      bound.total.queuedBytes,
      left.reduce((sum, { wire }) => sum + wire.queuedBytes, 0),
    )
    for (const { wire } of left) wire.destroy()
    assert.equal(bound.total.queuedBytes, 0)
  })

  it('is told once when it has read again, and gets every byte', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 32 * MIB, highWaterBytes: MIB } })
    const { client, peer } = await deaf(t, bound)
    const message = Buffer.alloc(10_000)
    let sent = 0
    while (peer.wire.queuedBytes < MIB) {
      message.fill(sent & 0xff)
      peer.wire.send(Buffer.from(message), 0, message.length)
      sent += message.length
      if (sent % 200_000 === 0) await turns(1)
    }
    for (let i = 0; i < 100; i++) peer.wire.send(Buffer.from(message.fill(sent & 0xff)), 0, message.length)
    sent += 100 * message.length
    await turns()
    assert.equal(peer.drains, 0)
    assert.ok(peer.wire.queuedBytes >= MIB)
    assert.equal(bound.total.queuedBytes, peer.wire.queuedBytes)
    const received = new Received(client)
    client.resume()
    await peer.until(() => peer.drains > 0)
    assert.ok(peer.wire.queuedBytes <= MIB / 2)
    await received.until(() => received.length === sent)
    await peer.until(() => bound.total.queuedBytes === 0 || peer.closes.length > 0)
    assert.equal(peer.wire.queuedBytes, 0)
    assert.equal(peer.drains, 1)
  })

  it('gets small messages unharmed, whatever others were sent meanwhile', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 32 * MIB } })
    const { client, peer } = await deaf(t, bound)
    const other = await dial(t, bound)
    other.resume()
    const second = await bound.peer(1)
    const expected: Buffer[] = []
    const noise = Buffer.alloc(16_000, 'noise')
    for (let turn = 0; peer.wire.queuedBytes < MIB; turn++) {
      assert.ok(turn < 20_000, 'the kernel takes everything')
      for (let i = 0; i < 40; i++) {
        const message = Buffer.from(`turn ${turn}, message ${i}${'.'.repeat(i * 10)};`)
        expected.push(message)
        peer.wire.send(message, 0, message.length)
        second.wire.send(noise, i * 400, i * 400 + 399)
      }
      await turns(1)
    }
    const whole = Buffer.concat(expected)
    const received = new Received(client)
    client.resume()
    await received.until(() => received.length === whole.length)
    assert.ok(Buffer.concat(received.chunks).equals(whole))
  })

  it('is not congested by a burst that the kernel takes', async (t) => {
    const bound = await bind(t, { limits: { highWaterBytes: 1000 } })
    const client = await dial(t, bound)
    const received = new Received(client)
    const peer = await bound.peer()
    for (let i = 0; i < 100; i++) peer.wire.send(Buffer.alloc(999), 0, 999)
    assert.equal(peer.wire.congested, false)
    await received.until(() => received.length === 99_900)
    assert.equal(peer.drains, 0)
  })

  it('may be sent more from within the drain', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 32 * MIB, highWaterBytes: MIB } })
    const { client, peer } = await deaf(t, bound)
    const message = Buffer.alloc(100_000)
    let sent = 0
    const fill = (): void => {
      for (let i = 0; i < 20; i++) peer.wire.send(message, 0, message.length)
      sent += 20 * message.length
    }
    for (let turn = 0; !peer.wire.congested; turn++) {
      assert.ok(turn < 1000, 'the kernel takes everything')
      fill()
      await turns(1)
    }
    const drained = peer.onDrain.bind(peer)
    peer.onDrain = () => {
      assert.equal(peer.wire.congested, false)
      drained()
      if (peer.drains < 3) fill()
    }
    const received = new Received(client)
    client.resume()
    await received.until(() => received.length === sent)
    assert.ok(peer.drains >= 1)
  })
})
