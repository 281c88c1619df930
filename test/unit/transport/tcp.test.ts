/** The TCP listener on loopback sockets: bytes both ways, binding, and how connections end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { bindError } from '../../../src/transport/listen-error.ts'
import { createListener, ListenError } from '../../../src/transport/listener.ts'
import { bind, closed, dial, LIMITS, makeTotal, Received, Recorder, sendText, turns } from './loopback.ts'

describe('tcp listener', () => {
  it('carries bytes both ways and knows the peer', async (t) => {
    const bound = await bind(t)
    assert.match(bound.listener.address, /^127\.0\.0\.1:\d+$/)
    assert.notEqual(bound.port, 0)
    assert.equal(bound.listener.kind, 'tcp')
    const client = await dial(t, bound)
    const received = new Received(client)
    client.write('hello')
    const peer = await bound.peer()
    await peer.until(() => peer.text === 'hello')
    const address = client.address() as { port: number }
    assert.deepEqual(peer.wire.peer, { address: '127.0.0.1', port: address.port, secure: false, datagram: false })
    sendText(peer.wire, 'good ')
    sendText(peer.wire, 'day')
    assert.equal(peer.wire.queuedBytes, 8)
    await received.until(() => received.text === 'good day')
    assert.equal(peer.wire.queuedBytes, 0)
    const { stats } = bound.listener
    assert.deepEqual([stats.accepted, stats.current, stats.bytesIn, stats.bytesOut], [1, 1, 5, 8])
    assert.equal(bound.total.current, 1)
  })

  it('sends ranges of many buffers in order, large and small', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 64 * 1024 ** 2 } })
    const client = await dial(t, bound)
    const received = new Received(client)
    const { wire } = await bound.peer()
    const expected: Buffer[] = []
    const sizes = [1, 3, 20, 64, 64, 64, 500, 5000, 70_000, 1, 200_000, 2, 300_000, 7]
    for (let round = 0; round < 20; round++) {
      for (const size of sizes) {
        const bytes = Buffer.alloc(size + 10, round * 16 + (size & 15))
        const plain = round % 2 === 0 ? bytes : new Uint8Array(bytes)
        wire.send(plain, 5, 5 + (size >> 1))
        wire.send(plain, 5 + (size >> 1), 5 + size)
        wire.send(plain, 7, 7)
        expected.push(bytes.subarray(5, 5 + size))
      }
      if (round % 5 === 0) await turns(1)
    }
    const whole = Buffer.concat(expected)
    await received.until(() => received.length >= whole.length)
    assert.ok(Buffer.concat(received.chunks).equals(whole))
    assert.equal(bound.listener.stats.bytesOut, whole.length)
  })

  it('says which address is in use and what to do', async (t) => {
    const bound = await bind(t)
    const second = createListener({ ...bound.listener.options, port: bound.port }, makeTotal())
    await assert.rejects(
      second.listen(() => undefined),
      (error: unknown) => {
        assert.ok(error instanceof ListenError)
        assert.equal(error.code, 'in-use')
        assert.equal(
          error.message,
          `tcp 127.0.0.1:${bound.port} is already in use: stop the program that holds it, or set another port for this listener`,
        )
        return true
      },
    )
    await second.close()
  })

  it('says when the address is not one of this machine', async () => {
    const limits = LIMITS
    const listener = createListener({ type: 'tcp', host: '192.0.2.1', port: 0, proxyProtocol: false, limits }, makeTotal())
    await assert.rejects(
      listener.listen(() => undefined),
      { name: 'ListenError', code: 'unavailable' },
    )
  })

  it('names a remedy for every answer of the system', () => {
    const codes = { EADDRINUSE: 'in-use', EACCES: 'denied', EADDRNOTAVAIL: 'unavailable', ENOTFOUND: 'unresolved', EIO: 'failed' }
    for (const [system, code] of Object.entries(codes)) {
      const error = bindError('tcp', '::1', 80, Object.assign(new Error('as the system says'), { code: system }))
      assert.equal(error.code, code)
      assert.ok(error.message.includes('tcp [::1]:80'))
    }
  })

  it('binds IPv6 and writes its address in brackets', async (t) => {
    const bound = await bind(t, { host: '::1' })
    assert.match(bound.listener.address, /^\[::1\]:\d+$/)
    await dial(t, bound)
    const peer = await bound.peer()
    assert.equal(peer.wire.peer.address, '::1')
  })

  it('gives an IPv4 peer of a dual-stack listener its IPv4 address', async (t) => {
    const bound = await bind(t, { host: '::' })
    await dial(t, { ...bound, host: '127.0.0.1' })
    const peer = await bound.peer()
    assert.equal(peer.wire.peer.address, '127.0.0.1')
  })

  it('moves a wire to another handler', async (t) => {
    const bound = await bind(t)
    const client = await dial(t, bound)
    client.write('one')
    const first = await bound.peer()
    await first.until(() => first.text === 'one')
    const second = new Recorder(first.wire)
    first.wire.handler = second
    client.write('two')
    await second.until(() => second.text === 'two')
    client.end()
    assert.equal(await second.closed(), 'peer')
    assert.equal(first.text, 'one')
    assert.deepEqual(first.closes, [])
  })

  it('hands out chunks that no later read changes, whoever reads', async (t) => {
    const bound = await bind(t)
    const clients = [await dial(t, bound), await dial(t, bound), await dial(t, bound)]
    const sent = clients.map(() => '')
    for (let round = 0; round < 300; round++) {
      for (const [index, client] of clients.entries()) {
        // Sometimes more than one read takes.
        const text = `${index}`.repeat(round % 50 === 49 ? 150_000 : 1 + ((round * 37) % 900))
        sent[index] += text
        client.write(text)
      }
      await turns(1)
    }
    const [first, second, third] = [await bound.peer(0), await bound.peer(1), await bound.peer(2)]
    await Promise.all([first, second, third].map((peer, i) => peer.until(() => peer.text.length >= (sent[i] as string).length)))
    assert.deepEqual([first.text, second.text, third.text], sent)
  })

  it('stops reading when it is paused, and loses nothing', async (t) => {
    const bound = await bind(t)
    const client = await dial(t, bound)
    const peer = await bound.peer()
    peer.wire.pause()
    await turns()
    const before = peer.chunks.length
    client.write('held back')
    const other = await dial(t, bound)
    other.write('not held back')
    const second = await bound.peer(1)
    await second.until(() => second.text === 'not held back')
    assert.equal(peer.chunks.length, before)
    peer.wire.resume()
    await peer.until(() => peer.text === 'held back')
  })

  it('flushes what was queued before it closes', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 64 * 1024 ** 2 } })
    const client = await dial(t, bound)
    const received = new Received(client)
    const peer = await bound.peer()
    const bytes = Buffer.alloc(20 * 1024 ** 2, 'flush me')
    peer.wire.send(bytes, 0, bytes.length)
    sendText(peer.wire, 'the end')
    peer.wire.close()
    sendText(peer.wire, 'too late')
    peer.wire.close()
    client.write('not to be delivered')
    await received.until(() => received.ended)
    assert.equal(received.length, bytes.length + 7)
    assert.ok(received.text.endsWith('the end'))
    assert.equal(await peer.closed(), 'local')
    assert.deepEqual(peer.chunks, [])
    assert.equal(bound.total.queuedBytes, 0)
  })

  it('closes a paused wire without waiting for the peer to be read', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] }) // it is not cut either
    const bound = await bind(t)
    const client = await dial(t, bound)
    const received = new Received(client)
    const peer = await bound.peer()
    peer.wire.pause()
    client.write('nobody reads this')
    await turns()
    sendText(peer.wire, 'bye')
    peer.wire.close()
    await received.until(() => received.closed)
    assert.equal(received.text, 'bye')
    assert.equal(await peer.closed(), 'local')
    assert.deepEqual(peer.chunks, [])
  })

  it('cuts a closing wire whose peer does not read', async (t) => {
    const bound = await bind(t, { limits: { maxQueuedBytes: 64 * 1024 ** 2 } })
    const client = await dial(t, bound)
    client.pause()
    const peer = await bound.peer()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const bytes = Buffer.alloc(32 * 1024 ** 2)
    peer.wire.send(bytes, 0, bytes.length)
    peer.wire.close()
    await turns()
    assert.ok(peer.wire.queuedBytes > 0)
    t.mock.timers.tick(4999)
    await turns()
    assert.deepEqual(peer.closes, [])
    t.mock.timers.tick(1)
    assert.equal(await peer.closed(), 'local')
    assert.equal(peer.wire.queuedBytes, 0)
    assert.equal(bound.total.queuedBytes, 0)
    assert.equal(bound.listener.stats.current, 0)
  })

  it('drops everything when it is destroyed', async (t) => {
    const bound = await bind(t)
    const client = await dial(t, bound)
    const received = new Received(client)
    const peer = await bound.peer()
    sendText(peer.wire, 'never sent')
    peer.wire.destroy()
    assert.deepEqual(peer.closes, [], 'not from inside the call')
    assert.equal(peer.wire.queuedBytes, 0)
    assert.equal(await peer.closed(), 'local')
    await received.until(() => received.closed)
    assert.equal(received.text, '')
    sendText(peer.wire, 'ignored')
    peer.wire.close()
    peer.wire.destroy()
    peer.wire.pause()
    peer.wire.resume()
    await turns()
    assert.equal(peer.closes.length, 1)
    assert.equal(peer.wire.queuedBytes, 0)
  })

  it('answers a peer that has closed its half already', async (t) => {
    const bound = await bind(t)
    const client = connect({ host: bound.host, port: bound.port, allowHalfOpen: true })
    t.after(() => client.destroy())
    const received = new Received(client)
    client.end('question')
    const peer = await bound.peer()
    peer.reply = () => sendText(peer.wire, 'answer')
    assert.equal(await peer.closed(), 'peer')
    await received.until(() => received.ended)
    assert.equal(received.text, 'answer')
  })

  it('tells of a reset as of a peer that left, and does not fail', async (t) => {
    const bound = await bind(t)
    const client = await dial(t, bound)
    client.write('x')
    const peer = await bound.peer()
    await peer.until(() => peer.chunks.length > 0)
    client.resetAndDestroy()
    assert.equal(await peer.closed(), 'peer')
    assert.equal(bound.listener.stats.socketErrors, 0)
    assert.equal(bound.listener.stats.current, 0)
    assert.equal(bound.total.current, 0)
  })

  it('refuses whom the runtime refuses', async (t) => {
    const bound = await bind(t, { refuse: () => true })
    const client = await dial(t, bound)
    await closed(client)
    assert.equal(bound.listener.stats.refusedRuntime, 1)
    assert.equal(bound.listener.stats.accepted, 0)
    assert.equal(bound.total.current, 0)
  })

  it('stops accepting and lets the others go on; close ends them', async (t) => {
    const bound = await bind(t)
    const client = await dial(t, bound)
    const received = new Received(client)
    const peer = await bound.peer()
    bound.listener.stopAccepting()
    const late = connect({ host: bound.host, port: bound.port })
    const [error] = await once(late, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
    client.write('still here')
    await peer.until(() => peer.text === 'still here')
    const closing = bound.listener.close()
    assert.equal(await peer.closed(), 'local')
    await closing
    await received.until(() => received.closed)
    assert.equal(bound.listener.stats.current, 0)
    assert.equal(bound.total.current, 0)
    await bound.listener.close()
  })

  it('can be closed without ever having listened', async () => {
    const options = { type: 'tcp', host: '127.0.0.1', port: 0, proxyProtocol: false, limits: LIMITS } as const
    await createListener(options, makeTotal()).close()
  })

  it('has no listener for a transport that it does not know', () => {
    const options = { type: 'dtls', host: '127.0.0.1', port: 0, proxyProtocol: false, limits: LIMITS } as const
    assert.throws(() => createListener(options, makeTotal()), { name: 'ListenError', code: 'unsupported' })
  })
})
