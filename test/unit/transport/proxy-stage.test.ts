/** The PROXY header on a TCP listener: who gets through, and as whom. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bind, closed, dial, Received, sendText, turns } from './loopback.ts'
import { proxyV2, tlv } from './proxy-headers.ts'

describe('tcp listener behind a load balancer', () => {
  it('takes the address from the header and the bytes behind it, however they are cut', async (t) => {
    const bound = await bind(t, { proxyProtocol: true, limits: { maxConnections: 1000 } })
    const headers = [
      Buffer.from('PROXY TCP4 192.0.2.9 198.51.100.1 4711 80\r\n'),
      proxyV2({ address: [192, 0, 2, 9], port: 4711 }),
    ]
    for (const header of headers) {
      const bytes = Buffer.concat([header, Buffer.from('hello')])
      for (let cut = 0; cut <= bytes.length; cut += 3) {
        const client = await dial(t, bound)
        const received = new Received(client)
        const index = bound.peers.length
        client.write(bytes.subarray(0, cut))
        await turns(2)
        client.write(bytes.subarray(cut))
        client.write(', world')
        const peer = await bound.peer(index)
        await peer.until(() => peer.text === 'hello, world')
        assert.deepEqual(peer.wire.peer, { address: '192.0.2.9', port: 4711, secure: false, datagram: false })
        sendText(peer.wire, 'hi')
        await received.until(() => received.text === 'hi')
        client.destroy()
        await peer.closed()
      }
    }
    assert.equal(bound.listener.stats.proxyErrors, 0)
  })

  it('keeps the address of the socket for the balancer’s own connections', async (t) => {
    const bound = await bind(t, { proxyProtocol: true })
    for (const header of [Buffer.from('PROXY UNKNOWN\r\n'), proxyV2({ command: 0x20, address: [1, 2, 3, 4], port: 5 })]) {
      const index = bound.peers.length
      const client = await dial(t, bound)
      client.write(header)
      const peer = await bound.peer(index)
      assert.deepEqual(peer.wire.peer, { address: '127.0.0.1', port: client.localPort, secure: false, datagram: false })
    }
  })

  it('knows the identity that the balancer verified', async (t) => {
    const bound = await bind(t, { proxyProtocol: true })
    const values = tlv(0x20, Buffer.concat([Buffer.from([7, 0, 0, 0, 0]), tlv(0x22, Buffer.from('meter-7'))]))
    const client = await dial(t, bound)
    client.write(proxyV2({ address: [192, 0, 2, 9], port: 4711, values }))
    const { wire } = await bound.peer()
    assert.deepEqual(wire.peer, { address: '192.0.2.9', port: 4711, secure: true, datagram: false, identity: 'meter-7' })
  })

  it('drops who sends no header, a broken one, or half of one', async (t) => {
    const bound = await bind(t, { proxyProtocol: true })
    const { stats } = bound.listener
    const broken = await dial(t, bound)
    broken.write('hello')
    await closed(broken)
    assert.equal(stats.proxyErrors, 1)
    const half = await dial(t, bound)
    half.end('PROXY TCP4')
    await closed(half)
    assert.equal(stats.proxyErrors, 2)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const silent = await dial(t, bound)
    while (stats.current < 1) await turns(1)
    t.mock.timers.tick(2999)
    await turns()
    assert.equal(stats.current, 1)
    t.mock.timers.tick(1)
    await closed(silent)
    assert.deepEqual([stats.proxyErrors, stats.accepted], [3, 0])
    while (stats.current > 0) await turns(1)
    assert.equal(bound.total.current, 0)
    assert.deepEqual(bound.peers, [])
  })

  it('closes while headers are awaited', async (t) => {
    const bound = await bind(t, { proxyProtocol: true })
    const client = await dial(t, bound)
    while (bound.listener.stats.current < 1) await turns(1)
    await bound.listener.close()
    await closed(client)
    assert.equal(bound.total.current, 0)
  })
})
