/** The TLS listener: handshakes, client certificates, and what becomes of those who fail. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it, type TestContext } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { createListener, ListenError } from '../../../src/transport/listener.ts'
import { type Certificates, makeCertificates, noOpenssl } from './certificates.ts'
import { type Bound, bind, closed, dial, LIMITS, makeTotal, Received, sendText } from './loopback.ts'
import { proxyV2 } from './proxy-headers.ts'

const MIB = 1024 ** 2

describe('tls listener', { skip: noOpenssl() }, () => {
  let certificates: Certificates

  before(() => {
    certificates = makeCertificates()
  })

  after(() => certificates.remove())

  function bindTls(t: TestContext, options: Parameters<typeof bind>[1] = {}): Promise<Bound> {
    const { cert, key } = certificates.server
    return bind(t, { type: 'tls', ...options, tls: { cert, key, ca: certificates.ca.cert, ...options.tls } })
  }

  function start(t: TestContext, bound: Bound, options: ConnectionOptions = {}): TLSSocket {
    const socket = connect({ host: bound.host, port: bound.port, ca: certificates.ca.cert, servername: 'localhost', ...options })
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    return socket
  }

  it('carries bytes both ways under TLS 1.3 and 1.2, and not under 1.1', async (t) => {
    const bound = await bindTls(t)
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const client = start(t, bound, { minVersion: version, maxVersion: version })
      const received = new Received(client)
      const index = bound.peers.length
      client.write('hello')
      const peer = await bound.peer(index)
      await peer.until(() => peer.text === 'hello')
      assert.equal(client.getProtocol(), version)
      assert.deepEqual(peer.wire.peer, { address: '127.0.0.1', port: client.localPort, secure: true, datagram: false })
      sendText(peer.wire, 'good ')
      sendText(peer.wire, 'day')
      await received.until(() => received.text === 'good day')
      sendText(peer.wire, 'bye')
      peer.wire.close()
      await received.until(() => received.ended)
      assert.equal(received.text, 'good daybye')
      assert.equal(await peer.closed(), 'local')
      assert.equal(peer.wire.queuedBytes, 0)
    }
    const old = start(t, bound, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await closed(old)
    assert.equal(bound.listener.stats.tlsErrors, 1)
    assert.equal(bound.listener.stats.accepted, 2)
    assert.equal(bound.total.queuedBytes, 0)
  })

  it('reads certificate, key and CA from files', async (t) => {
    const { certFile, keyFile } = certificates.server
    const bound = await bindTls(t, { tls: { cert: certFile, key: keyFile, ca: certificates.ca.certFile } })
    const client = start(t, bound)
    await once(client, 'secureConnect')
    assert.ok(client.authorized)
  })

  it('says what is wrong with its certificate', async () => {
    const { cert, key } = certificates.server
    const listen = (tls: { cert: string; key: string } | undefined) =>
      createListener({ type: 'tls', host: '127.0.0.1', port: 0, proxyProtocol: false, limits: LIMITS, tls }, makeTotal()).listen(
        () => undefined,
      )
    const expect = (words: RegExp) => (error: unknown) => {
      assert.ok(error instanceof ListenError)
      assert.equal(error.code, 'tls')
      assert.match(error.message, words)
      return true
    }
    await assert.rejects(listen({ cert: 'no/such/file.pem', key }), expect(/certificate "no\/such\/file.pem" \(ENOENT\)/))
    await assert.rejects(listen({ cert, key: certificates.client.key }), expect(/cannot be used.*check/s))
    await assert.rejects(listen({ cert: '-----BEGIN NONSENSE-----', key }), expect(/cannot be used/))
    await assert.rejects(listen(undefined), expect(/set the certificate and key/))
  })

  it('takes the identity from a verified client certificate only', async (t) => {
    const bound = await bindTls(t, { tls: { ...certificates.server, requestClientCert: true } })
    const { client, stranger } = certificates
    start(t, bound, { cert: client.cert, key: client.key })
    assert.equal((await bound.peer(0)).wire.peer.identity, 'meter-7')
    start(t, bound, { cert: stranger.cert, key: stranger.key })
    assert.equal('identity' in (await bound.peer(1)).wire.peer, false)
    start(t, bound)
    assert.equal('identity' in (await bound.peer(2)).wire.peer, false)
  })

  it('keeps the identity when a session is resumed', async (t) => {
    const bound = await bindTls(t, { tls: { ...certificates.server, requestClientCert: true } })
    const { cert, key } = certificates.client
    const first = start(t, bound, { cert, key })
    const [session] = (await once(first, 'session')) as [Buffer]
    first.end()
    const second = start(t, bound, { cert, key, session })
    await once(second, 'secureConnect')
    assert.ok(second.isSessionReused())
    assert.equal((await bound.peer(1)).wire.peer.identity, 'meter-7')
  })

  it('refuses clients without a verified certificate when it must', async (t) => {
    const bound = await bindTls(t, { tls: { ...certificates.server, requireClientCert: true } })
    const { client, stranger } = certificates
    await closed(start(t, bound))
    await closed(start(t, bound, { cert: stranger.cert, key: stranger.key }))
    start(t, bound, { cert: client.cert, key: client.key })
    assert.equal((await bound.peer()).wire.peer.identity, 'meter-7')
    const { stats } = bound.listener
    assert.deepEqual([stats.tlsErrors, stats.accepted, stats.current], [2, 1, 1])
  })

  it('drops who does not speak TLS, or does not speak at all', async (t) => {
    const bound = await bindTls(t, { tls: { ...certificates.server, handshakeTimeoutMs: 1000 } })
    const plain = await dial(t, bound)
    plain.write('GET / HTTP/1.1\r\n\r\n')
    await closed(plain)
    assert.equal(bound.listener.stats.tlsErrors, 1)
    const silent = await dial(t, bound)
    await closed(silent)
    const gone = await dial(t, bound)
    gone.destroy()
    start(t, bound)
    await bound.peer() // which connected after the others
    const { stats } = bound.listener
    assert.deepEqual([stats.tlsErrors, stats.accepted, stats.current], [3, 1, 1])
    assert.equal(bound.total.current, 1)
  })

  it('destroys a reader that does not read, and drains one that reads late', async (t) => {
    const bound = await bindTls(t, { limits: { maxQueuedBytes: 4 * MIB, highWaterBytes: MIB } })
    const client = start(t, bound)
    const peer = await bound.peer()
    client.pause()
    const message = Buffer.alloc(10_000, 'm')
    let sent = 0
    while (peer.wire.queuedBytes < 2 * MIB) {
      peer.wire.send(message, 0, message.length)
      sent += message.length
      if (sent % 100_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(peer.drains, 0)
    const received = new Received(client)
    client.resume()
    await received.until(() => received.length === sent)
    await peer.until(() => peer.drains === 1)
    const deaf = start(t, bound)
    const second = await bound.peer(1)
    deaf.pause()
    for (let rounds = 0; second.closes.length === 0; rounds++) {
      assert.ok(rounds < 5000, 'it is never destroyed')
      for (let i = 0; i < 10; i++) second.wire.send(message, 0, message.length)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(await second.closed(), 'congested')
    assert.equal(peer.closes.length, 0)
  })

  it('answers a peer whose goodbye came together with its question', async (t) => {
    const bound = await bindTls(t)
    const below = await dial(t, bound)
    const client = start(t, bound, { socket: below, allowHalfOpen: true } as ConnectionOptions)
    await once(client, 'secureConnect')
    const peer = await bound.peer()
    peer.reply = () => sendText(peer.wire, 'answer')
    const received = new Received(client)
    below.cork()
    client.end('question')
    below.uncork()
    assert.equal(await peer.closed(), 'peer')
    await received.until(() => received.closed)
    assert.equal(received.text, 'answer')
  })

  it('reads the PROXY header before the handshake', async (t) => {
    const bound = await bindTls(t, { proxyProtocol: true })
    const header = proxyV2({ address: [192, 0, 2, 9], port: 4711 })
    for (const cut of [header.length, 5, 0]) {
      const socket = await dial(t, bound)
      socket.write(header.subarray(0, cut))
      if (cut < header.length) {
        await new Promise((resolve) => setImmediate(resolve))
        socket.write(header.subarray(cut))
      }
      const index = bound.peers.length
      const client = connect({ socket, ca: certificates.ca.cert, servername: 'localhost' })
      t.after(() => client.destroy())
      client.write('hello')
      const peer = await bound.peer(index)
      await peer.until(() => peer.text === 'hello')
      assert.deepEqual(peer.wire.peer, { address: '192.0.2.9', port: 4711, secure: true, datagram: false })
      client.destroy()
      await peer.closed()
    }
  })

  it('closes while handshakes are under way', async (t) => {
    const bound = await bindTls(t)
    const silent = await dial(t, bound)
    const client = start(t, bound)
    await once(client, 'secureConnect')
    const peer = await bound.peer()
    await bound.listener.close()
    assert.equal(peer.closes[0]?.cause, 'local')
    await closed(silent)
    assert.equal(bound.total.current, 0)
  })
})
