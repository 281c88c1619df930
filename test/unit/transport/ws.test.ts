/** The WebSocket listener: upgrade, messages, refusals. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, describe, it, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { WebSocket } from 'ws'
import { type Certificates, makeCertificates, noOpenssl } from './certificates.ts'
import { type BindOptions, type Bound, bind, closed, dial, Received, sendText, turns, Waiter } from './loopback.ts'

const MIB = 1024 ** 2

function bindWs(t: TestContext, options: BindOptions = {}): Promise<Bound> {
  return bind(t, { type: 'ws', path: '/socket', subprotocols: ['second', 'first'], ...options })
}

class Client extends Waiter {
  readonly ws: WebSocket
  readonly messages: Buffer[] = []
  code: number | undefined

  constructor(t: TestContext, bound: Bound, protocols: string[] = [], scheme = 'ws', options: object = {}) {
    super()
    this.ws = new WebSocket(`${scheme}://${bound.host}:${bound.port}/socket?query=1`, protocols, options)
    t.after(() => this.ws.terminate())
    this.ws.on('message', (data: Buffer) => {
      this.messages.push(data)
      this.changed()
    })
    this.ws.on('error', () => {})
    this.ws.on('close', (code) => {
      this.code = code
      this.changed()
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.messages)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  open(): Promise<unknown> {
    return once(this.ws, 'open')
  }

  async closed(): Promise<number | undefined> {
    await this.until(() => this.code !== undefined)
    return this.code
  }
}

/** The answer to an upgrade that is refused, or to any other request. */
function ask(
  bound: Bound,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const req = request({ host: bound.host, port: bound.port, path, headers, method, agent: false })
    req.on('error', reject)
    req.on('upgrade', () => reject(new Error('it was upgraded')))
    req.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    req.end()
  })
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', // RFC 6455 1.3
}

describe('ws listener', () => {
  it('carries bytes both ways, one message for a turn', async (t) => {
    const bound = await bindWs(t)
    const client = new Client(t, bound)
    await client.open()
    client.ws.send(Buffer.from('hel'))
    client.ws.send(Buffer.from('lo'))
    const peer = await bound.peer()
    await peer.until(() => peer.text === 'hello')
    assert.deepEqual({ ...peer.wire.peer, port: 0 }, { address: '127.0.0.1', port: 0, secure: false, datagram: false })
    assert.notEqual(peer.wire.peer.port, 0)
    sendText(peer.wire, 'good ')
    sendText(peer.wire, 'day')
    await client.until(() => client.messages.length > 0)
    assert.deepEqual(client.messages.map(String), ['good day'])
    const { stats } = bound.listener
    assert.deepEqual([stats.accepted, stats.current, stats.bytesIn, stats.bytesOut], [1, 1, 5, 8])
  })

  it('keeps the boundaries of messages where they mean something, also for a client that reads late', async (t) => {
    const bound = await bindWs(t, { wholeMessages: true })
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    assert.equal(peer.wire.peer.delimited, true)
    client.ws.pause()
    const texts = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(1000))
    for (const text of texts) sendText(peer.wire, text)
    await turns()
    client.ws.resume()
    await client.until(() => client.messages.length === texts.length)
    assert.deepEqual(client.messages.map(String), texts)
    const bytes = texts.reduce((sum, text) => sum + text.length, 0)
    assert.equal(bound.listener.stats.bytesOut, bytes)
    peer.wire.close()
    assert.equal(await client.closed(), 1000)
    assert.equal(peer.wire.queuedBytes, 0)
  })

  it('agrees on the sub-protocol that it prefers', async (t) => {
    const bound = await bindWs(t)
    const client = new Client(t, bound, ['first', 'other', 'second'])
    await client.open()
    assert.equal(client.ws.protocol, 'second')
    const none = new Client(t, bound)
    await none.open()
    assert.equal(none.ws.protocol, '')
  })

  it('refuses other paths, other sub-protocols and other requests, and says why', async (t) => {
    const bound = await bindWs(t)
    assert.deepEqual(await ask(bound, '/other', UPGRADE), { status: 404, text: 'Nothing here. The WebSocket path is /socket\n' })
    assert.deepEqual(await ask(bound, '/socket', { ...UPGRADE, 'Sec-WebSocket-Protocol': 'third, fourth' }), {
      status: 400,
      text: 'No offered WebSocket sub-protocol is known. Known here: second, first.\n',
    })
    assert.equal((await ask(bound, '/socket', { ...UPGRADE, 'Sec-WebSocket-Protocol': 'first, , ' })).status, 400)
    assert.equal((await ask(bound, '/socket', { ...UPGRADE, 'Sec-WebSocket-Version': '7' })).status, 400)
    assert.equal((await ask(bound, '/socket', { ...UPGRADE, 'Sec-WebSocket-Key': 'short' })).status, 400)
    assert.equal((await ask(bound, '/socket', {})).status, 426)
    assert.equal((await ask(bound, '/', {}, 'POST')).status, 404)
    const { stats } = bound.listener
    while (stats.current > 0) await turns(1)
    assert.deepEqual([stats.upgradeErrors, stats.accepted], [7, 0])
    assert.equal(bound.total.current, 0)
  })

  it('refuses a client that offers no sub-protocol where one is required', async (t) => {
    const bound = await bindWs(t, { requireSubprotocol: true })
    const { status, text } = await ask(bound, '/socket', UPGRADE)
    assert.equal(status, 400)
    assert.match(text, /Offer a WebSocket sub-protocol\. Known here: second, first\./)
    await new Client(t, bound, ['first']).open()
  })

  it('drops what is not HTTP, and what is never said', async (t) => {
    const bound = await bindWs(t)
    const noise = await dial(t, bound)
    const received = new Received(noise)
    noise.write('\x00\x01\x02 this is not HTTP\r\n\r\n')
    await received.until(() => received.closed)
    assert.match(received.text, /^HTTP\/1\.1 400 Bad Request\r\n/)
    const endless = await dial(t, bound)
    endless.write(`GET /socket HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`)
    await closed(endless)
    const { stats } = bound.listener
    assert.equal(stats.upgradeErrors, 2)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const silent = await dial(t, bound)
    while (stats.current < 1) await turns(1)
    t.mock.timers.tick(10_000)
    await closed(silent)
    while (stats.current > 0) await turns(1)
    assert.equal(stats.upgradeErrors, 3)
  })

  it('refuses a text message with 1003', async (t) => {
    const bound = await bindWs(t)
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    client.ws.send(Buffer.from('bytes'))
    client.ws.send('text')
    client.ws.send(Buffer.from('more'))
    assert.equal(await client.closed(), 1003)
    assert.equal(await peer.closed(), 'malformed')
    assert.equal(peer.text, 'bytes')
    assert.equal(bound.listener.stats.malformed, 1)
  })

  it('refuses a message that is too large with 1009', async (t) => {
    const bound = await bindWs(t, { limits: { maxFrameBytes: 1000 } })
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    client.ws.send(Buffer.alloc(1000))
    client.ws.send(Buffer.alloc(1001))
    assert.equal(await client.closed(), 1009)
    assert.equal(await peer.closed(), 'malformed')
    assert.equal(peer.bytes.length, 1000)
    assert.equal(bound.listener.stats.malformed, 1)
  })

  it('closes a connection whose frames are broken', async (t) => {
    const bound = await bindWs(t)
    const socket = await dial(t, bound)
    const received = new Received(socket)
    const lines = [
      'GET /socket HTTP/1.1',
      'Host: localhost',
      ...Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}`),
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    await received.until(() => received.text.includes('\r\n\r\n'))
    assert.match(received.text, /^HTTP\/1\.1 101 /)
    const peer = await bound.peer()
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff])) // reserved bits and opcode
    assert.equal(await peer.closed(), 'malformed')
    await received.until(() => received.closed)
  })

  it('flushes, then closes with 1000', async (t) => {
    const bound = await bindWs(t, { limits: { maxQueuedBytes: 64 * MIB } })
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    const bytes = Buffer.alloc(8 * MIB, 'flush')
    peer.wire.send(bytes, 0, bytes.length)
    peer.wire.close()
    assert.equal(await client.closed(), 1000)
    assert.ok(client.bytes.equals(bytes))
    assert.equal(await peer.closed(), 'local')
    assert.equal(bound.total.queuedBytes, 0)
  })

  it('tells how the other side left', async (t) => {
    const bound = await bindWs(t)
    const polite = new Client(t, bound)
    await polite.open()
    polite.ws.close()
    assert.equal(await (await bound.peer(0)).closed(), 'peer')
    const rude = new Client(t, bound)
    await rude.open()
    rude.ws.terminate()
    assert.equal(await (await bound.peer(1)).closed(), 'peer')
    assert.equal(bound.listener.stats.current, 0)
  })

  it('stops reading in the middle of a chunk of messages, and loses none', async (t) => {
    const bound = await bindWs(t)
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    let delivered = 0
    peer.reply = () => {
      delivered++
      peer.wire.pause()
    }
    for (let i = 0; i < 20; i++) client.ws.send(Buffer.from(String.fromCharCode(97 + i)))
    for (let i = 1; i <= 20; i++) {
      await peer.until(() => delivered === i)
      await turns(2)
      assert.equal(delivered, i, 'nothing while it is paused')
      peer.wire.resume()
      assert.equal(delivered, i, 'nothing from inside the call')
    }
    assert.equal(peer.text, 'abcdefghijklmnopqrst')
    peer.reply = undefined
    client.ws.send(Buffer.from('!'))
    await peer.until(() => peer.text.endsWith('!'))
  })

  it('destroys a reader that does not read, and drains one that reads late', async (t) => {
    const bound = await bindWs(t, { limits: { maxQueuedBytes: 4 * MIB, highWaterBytes: MIB } })
    const late = new Client(t, bound)
    await late.open()
    late.ws.pause()
    const peer = await bound.peer()
    const message = Buffer.alloc(10_000, 'm')
    let sent = 0
    while (peer.wire.queuedBytes < 2 * MIB) {
      peer.wire.send(message, 0, message.length)
      sent += message.length
      if (sent % 100_000 === 0) await turns(1)
    }
    assert.equal(peer.drains, 0)
    late.ws.resume()
    await late.until(() => late.bytes.length === sent)
    await peer.until(() => peer.drains === 1)
    const deaf = new Client(t, bound)
    await deaf.open()
    deaf.ws.pause()
    const second = await bound.peer(1)
    for (let rounds = 0; second.closes.length === 0; rounds++) {
      assert.ok(rounds < 5000, 'it is never destroyed')
      for (let i = 0; i < 10; i++) second.wire.send(message, 0, message.length)
      await turns(1)
    }
    assert.equal(await second.closed(), 'congested')
    assert.equal(peer.closes.length, 0)
  })

  it('reads the PROXY header before the upgrade', async (t) => {
    const bound = await bindWs(t, { proxyProtocol: true })
    const proxied = await dial(t, bound)
    proxied.write('PROXY TCP4 192.0.2.9 198.51.100.1 4711 80\r\n')
    const client = new Client(t, bound, ['first'], 'ws', { createConnection: () => proxied })
    await client.open()
    client.ws.send(Buffer.from('hello'))
    const peer = await bound.peer()
    await peer.until(() => peer.text === 'hello')
    assert.deepEqual(peer.wire.peer, { address: '192.0.2.9', port: 4711, secure: false, datagram: false })
  })

  it('closes what is open, in whatever stage', async (t) => {
    const bound = await bindWs(t)
    const silent = await dial(t, bound)
    const client = new Client(t, bound)
    await client.open()
    const peer = await bound.peer()
    await bound.listener.close()
    assert.equal(peer.closes[0]?.cause, 'local')
    await closed(silent)
    await client.closed()
    assert.equal(bound.total.current, 0)
  })
})

describe('wss listener', { skip: noOpenssl() }, () => {
  let certificates: Certificates

  before(() => {
    certificates = makeCertificates()
  })

  after(() => certificates.remove())

  it('carries bytes both ways and knows the client certificate', async (t) => {
    const tls = { ...certificates.server, ca: certificates.ca.cert, requestClientCert: true }
    const bound = await bindWs(t, { type: 'wss', tls })
    const { cert, key } = certificates.client
    const client = new Client(t, bound, ['first'], 'wss', { ca: certificates.ca.cert, cert, key })
    await client.open()
    client.ws.send(Buffer.from('hello'))
    const peer = await bound.peer()
    await peer.until(() => peer.text === 'hello')
    assert.equal(peer.wire.peer.secure, true)
    assert.equal(peer.wire.peer.identity, 'meter-7')
    const bytes = Buffer.alloc(300_000, 'x')
    peer.wire.send(bytes, 0, bytes.length)
    sendText(peer.wire, 'end')
    peer.wire.close()
    assert.equal(await client.closed(), 1000)
    assert.equal(client.bytes.length, 300_003)
    assert.equal(await peer.closed(), 'local')
  })

  it('survives clients that are gone before they are refused', async (t) => {
    const bound = await bindWs(t, { type: 'wss', tls: certificates.server })
    const { stats } = bound.listener
    for (let i = 0; i < 20; i++) {
      const below = await dial(t, bound)
      const socket = connect({ socket: below, ca: certificates.ca.cert, servername: 'localhost' })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
      const lines = ['GET /other HTTP/1.1', 'Host: localhost', ...Object.entries(UPGRADE).map((pair) => pair.join(': '))]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, () => below.resetAndDestroy())
      await closed(below)
    }
    while (stats.current > 0) await turns(1)
    assert.equal(stats.upgradeErrors + stats.tlsErrors, 20)
    assert.equal(stats.accepted, 0)
  })
})
