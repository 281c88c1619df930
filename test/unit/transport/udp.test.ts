/** The UDP listener on loopback sockets. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { createListener, ListenError } from '../../../src/transport/listener.ts'
import { type BindOptions, type Bound, bind, LIMITS, makeTotal, sendText, turns, Waiter } from './loopback.ts'

function bindUdp(t: TestContext, options: BindOptions = {}): Promise<Bound> {
  return bind(t, { type: 'udp', ...options })
}

class Device extends Waiter {
  readonly received: string[] = []
  readonly #socket: Socket

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    socket.on('message', (bytes) => {
      this.received.push(bytes.toString('latin1'))
      this.changed()
    })
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Resolves when the kernel has it: on loopback it is in the listener's buffer then. */
  send(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(text, (error) => (error === null ? resolve() : reject(error)))
    })
  }
}

/** A socket connected to the listener, closed when the test ends. */
async function device(t: TestContext, bound: Bound, host = bound.host): Promise<Device> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  t.after(() => socket.close())
  socket.connect(bound.port, host)
  await once(socket, 'connect')
  return new Device(socket)
}

describe('udp listener', () => {
  it('gives each address and port a wire, and answers there', async (t) => {
    const bound = await bindUdp(t)
    assert.match(bound.listener.address, /^127\.0\.0\.1:\d+$/)
    const [first, second] = [await device(t, bound), await device(t, bound)]
    await first.send('one')
    await second.send('two')
    await first.send('three')
    const [peer, other] = [await bound.peer(0), await bound.peer(1)]
    await peer.until(() => peer.chunks.length === 2)
    assert.deepEqual(
      peer.chunks.map((chunk) => Buffer.from(chunk).toString()),
      ['one', 'three'],
    )
    await other.until(() => other.text === 'two')
    const { address, port, secure, datagram, group } = peer.wire.peer
    assert.deepEqual(
      { address, port, secure, datagram, group },
      { address: '127.0.0.1', port: first.port, secure: false, datagram: true, group: undefined },
    )
    sendText(peer.wire, 'first')
    sendText(peer.wire, 'again')
    const padded = new Uint8Array(Buffer.from('<second>'))
    other.wire.send(padded, 1, 7)
    await first.until(() => first.received.length === 2)
    assert.deepEqual(first.received, ['first', 'again'], 'one datagram a call')
    await second.until(() => second.received.length === 1)
    assert.deepEqual(second.received, ['second'])
    const { stats } = bound.listener
    assert.deepEqual([stats.accepted, stats.current, stats.datagramsIn, stats.datagramsOut], [2, 2, 3, 3])
    assert.deepEqual([stats.bytesIn, stats.bytesOut], [11, 16])
    assert.equal(bound.total.current, 2)
    assert.equal(peer.wire.queuedBytes, 0)
  })

  it('says which address is in use', async (t) => {
    const bound = await bindUdp(t)
    const second = createListener({ ...bound.listener.options, port: bound.port }, makeTotal())
    await assert.rejects(
      second.listen(() => undefined),
      (error: unknown) => {
        assert.ok(error instanceof ListenError)
        assert.equal(error.code, 'in-use')
        assert.ok(error.message.startsWith(`udp 127.0.0.1:${bound.port} is already in use: stop the program`))
        return true
      },
    )
    await second.close()
  })

  it('binds a host name', async (t) => {
    const bound = await bindUdp(t, { host: 'localhost' })
    assert.match(bound.listener.address, /^127\.0\.0\.1:\d+$/)
    const options = { type: 'udp', host: 'no-such-host.invalid', port: 0, proxyProtocol: false, limits: LIMITS } as const
    await assert.rejects(
      createListener(options, makeTotal()).listen(() => undefined),
      { code: 'unresolved' },
    )
  })

  it('serves IPv6', async (t) => {
    const bound = await bindUdp(t, { host: '::1' })
    assert.match(bound.listener.address, /^\[::1\]:\d+$/)
    const client = await device(t, bound)
    await client.send('six')
    const peer = await bound.peer()
    assert.equal(peer.wire.peer.address, '::1')
    sendText(peer.wire, 'ok')
    await client.until(() => client.received[0] === 'ok')
  })

  it('serves IPv4 on a dual-stack socket, under the IPv4 address', async (t) => {
    const bound = await bindUdp(t, { host: '::' })
    const client = await device(t, bound, '127.0.0.1')
    await client.send('four')
    const peer = await bound.peer()
    assert.equal(peer.wire.peer.address, '127.0.0.1')
    sendText(peer.wire, 'ok')
    await client.until(() => client.received[0] === 'ok')
  })

  it('forgets a closed peer: its next datagram is a new one', async (t) => {
    const bound = await bindUdp(t)
    const client = await device(t, bound)
    await client.send('one')
    const first = await bound.peer(0)
    sendText(first.wire, 'last words')
    first.wire.close()
    assert.deepEqual(first.closes, [], 'not from inside the call')
    sendText(first.wire, 'not sent')
    first.wire.destroy()
    assert.equal(await first.closed(), 'local')
    assert.equal(bound.listener.stats.current, 0)
    assert.equal(bound.total.current, 0)
    await client.send('two')
    const second = await bound.peer(1)
    assert.notEqual(second.wire, first.wire)
    assert.equal(first.text, 'one')
    first.wire.destroy()
    await client.send('three')
    await second.until(() => second.chunks.length === 2)
    assert.equal(bound.peers.length, 2, 'the old wire does not take the new one with it')
    assert.equal(first.closes.length, 1)
    sendText(second.wire, 'marker')
    await client.until(() => client.received.includes('marker'))
    assert.deepEqual(client.received, ['last words', 'marker'])
  })

  it('refuses whom the runtime refuses, each time anew', async (t) => {
    let refuse = true
    const bound = await bindUdp(t, { refuse: () => refuse })
    const client = await device(t, bound)
    await client.send('one')
    await client.send('two')
    await client.send('marker')
    const { stats } = bound.listener
    while (stats.datagramsIn < 3) await turns(1)
    assert.deepEqual([stats.refusedRuntime, stats.datagramsRefused, stats.current, stats.accepted], [3, 3, 0, 0])
    refuse = false
    await client.send('three')
    const peer = await bound.peer()
    assert.equal(peer.text, 'three')
    assert.equal(stats.accepted, 1)
  })

  it('does not hand bytes to a wire that was closed while it was accepted', async (t) => {
    const bound = await bindUdp(t, {
      refuse: (wire) => {
        wire.close()
        return false
      },
    })
    const client = await device(t, bound)
    await client.send('one')
    const peer = await bound.peer()
    assert.equal(await peer.closed(), 'local')
    assert.deepEqual(peer.chunks, [])
    assert.equal(bound.listener.stats.current, 0)
  })

  it('bounds its peers and counts who is refused', async (t) => {
    const bound = await bindUdp(t, { limits: { maxConnections: 2 } })
    const clients = [await device(t, bound), await device(t, bound), await device(t, bound)]
    for (const client of clients) await client.send('hello')
    await clients[0]?.send('still here')
    const peer = await bound.peer()
    await peer.until(() => peer.chunks.length === 2)
    const { stats } = bound.listener
    assert.deepEqual([stats.current, stats.refusedLimit, stats.datagramsRefused], [2, 1, 1])
    peer.wire.close()
    await clients[2]?.send('now')
    assert.equal((await bound.peer(2)).text, 'now')
  })

  it('bounds how fast new peers come', async (t) => {
    const bound = await bindUdp(t, { limits: { maxConnectRate: 0.001 } })
    const clients = [await device(t, bound), await device(t, bound)]
    for (const client of clients) await client.send('hello')
    await clients[0]?.send('still here')
    const peer = await bound.peer()
    await peer.until(() => peer.chunks.length === 2)
    assert.deepEqual([bound.listener.stats.accepted, bound.listener.stats.refusedRate], [1, 1])
  })

  it('drops and counts what comes faster than the byte rate', async (t) => {
    const bound = await bindUdp(t, { limits: { maxByteRate: 1 } })
    const client = await device(t, bound)
    const other = await device(t, bound)
    await client.send(Buffer.alloc(60_000))
    await client.send(Buffer.alloc(5_000))
    await client.send(Buffer.alloc(5_000))
    await other.send('not concerned')
    const second = await bound.peer(1)
    await second.until(() => second.text === 'not concerned')
    const peer = await bound.peer(0)
    assert.deepEqual(
      peer.chunks.map((chunk) => chunk.length),
      [60_000, 5_000],
    )
    assert.equal(bound.listener.stats.datagramsRateLimited, 1)
  })

  it('counts what the system does not send, and goes on', async (t) => {
    const bound = await bindUdp(t)
    const client = await device(t, bound)
    await client.send('hello')
    const peer = await bound.peer()
    peer.wire.send(Buffer.alloc(70_000), 0, 70_000)
    await turns()
    assert.equal(bound.listener.stats.sendErrors, 1)
    sendText(peer.wire, 'small')
    await client.until(() => client.received[0] === 'small')
    assert.equal(bound.listener.stats.sendErrors, 1)
  })

  it('survives that its answer is not wanted', async (t) => {
    const bound = await bindUdp(t)
    const socket = createSocket('udp4')
    socket.send('going', bound.port, bound.host)
    const peer = await bound.peer()
    socket.close()
    await once(socket, 'close')
    for (let i = 0; i < 5; i++) {
      sendText(peer.wire, 'hello?')
      await turns()
    }
    const client = await device(t, bound)
    await client.send('next')
    assert.equal((await bound.peer(1)).text, 'next')
  })

  it('forgets silent peers, unless their handler objects', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const bound = await bindUdp(t, { limits: { idlePeerTimeoutMs: 40_000 } })
    const clients = [await device(t, bound), await device(t, bound), await device(t, bound)]
    for (const [i, client] of clients.entries()) {
      await client.send('hello')
      await bound.peer(i)
    }
    const [silent, kept, talking] = bound.peers
    assert.ok(silent && kept && talking)
    kept.idle = true
    for (let i = 0; i < 4; i++) {
      t.mock.timers.tick(10_000)
      await clients[2]?.send('still here')
      await talking.until(() => talking.chunks.length === i + 2)
    }
    assert.deepEqual(silent.closes, [])
    t.mock.timers.tick(10_000)
    assert.equal(await silent.closed(), 'idle')
    const { stats } = bound.listener
    assert.deepEqual([stats.idlePeers, stats.current, bound.total.current], [1, 2, 2])
    kept.idle = false
    t.mock.timers.tick(40_000)
    assert.deepEqual(kept.closes, [], 'it was kept for as long again')
    t.mock.timers.tick(10_000)
    assert.equal(await kept.closed(), 'idle')
    assert.equal(await talking.closed(), 'idle')
    assert.equal(stats.current, 0)
  })

  it('works with whatever buffer the system grants', async (t) => {
    const bound = await bindUdp(t, { receiveBufferBytes: 2 ** 40, sendBufferBytes: 65_536 })
    const client = await device(t, bound)
    await client.send('works')
    assert.equal((await bound.peer()).text, 'works')
  })

  it('hears the groups that it joined, and speaks to those that it is told to', async (t) => {
    const group = '239.255.18.84'
    const ear = createSocket('udp4')
    t.after(() => ear.close())
    await new Promise<void>((resolve) => ear.bind(0, '0.0.0.0', resolve))
    ear.addMembership(group, '127.0.0.1')
    const announceTo = [{ host: group, port: ear.address().port }]
    const multicast = { groups: [group], announceTo, interface: '127.0.0.1', hops: 1 }
    const bound = await bindUdp(t, { host: '0.0.0.0', multicast })
    const announcer = await bound.peer(0)
    assert.deepEqual([announcer.wire.peer.group, announcer.wire.peer.address], [true, group])
    assert.equal(bound.listener.stats.current, 0, 'a group takes nobody the place')
    const heard = once(ear, 'message')
    sendText(announcer.wire, 'here I am')
    assert.equal(String((await heard)[0]), 'here I am')
    ear.setMulticastInterface('127.0.0.1')
    ear.send('is anybody there?', bound.port, group)
    const asking = await bound.peer(1)
    await asking.until(() => asking.chunks.length === 1)
    assert.equal(asking.wire.peer.group, undefined)
    await bound.listener.close()
    assert.equal(await announcer.closed(), 'local')
  })

  it('says which group it cannot join', async (t) => {
    const multicast = { groups: ['239.255.18.84'], announceTo: [], interface: '192.0.2.1', hops: 1 }
    await assert.rejects(
      bindUdp(t, { host: '0.0.0.0', multicast }),
      (error) => error instanceof ListenError && /cannot join 239\.255\.18\.84 on 192\.0\.2\.1/.test(error.message),
    )
  })

  it('stops accepting new peers and keeps the others; close ends them', async (t) => {
    const bound = await bindUdp(t)
    const [old, late] = [await device(t, bound), await device(t, bound)]
    await old.send('one')
    const peer = await bound.peer()
    bound.listener.stopAccepting()
    await late.send('too late')
    await old.send('two')
    await peer.until(() => peer.chunks.length === 2)
    const { stats } = bound.listener
    assert.deepEqual([stats.accepted, stats.refusedRuntime], [1, 1])
    await bound.listener.close()
    assert.equal(await peer.closed(), 'local')
    sendText(peer.wire, 'ignored')
    assert.equal(bound.total.current, 0)
    await bound.listener.close()
  })
})
