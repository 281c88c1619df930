/** TLS and WebSocket over TLS, with certificates as openssl makes them, and clients that verify them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App, Sys } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { TcpPeer } from '../e2e/tcp-peer.ts'
import { run } from '../support/process.ts'
import { Certificates } from './certificates.ts'
import { lacking, program } from './program.ts'

describe('TLS', { skip: without('mqtt') || lacking('openssl') }, () => {
  let server: Server
  let certificates: Certificates
  let ca: Buffer

  before(async () => {
    certificates = new Certificates()
    const tls = await certificates.ofServer('server')
    await certificates.selfSigned('ca', '/CN=Device CA')
    await certificates.selfSigned('stranger', '/CN=stranger')
    await certificates.signed('device', '/CN=meter-7')
    ca = certificates.read('server.pem')
    const mutual = { ...tls, ca: certificates.path('ca.pem'), requireClientCert: true }
    const listeners = [
      listener('tls', { name: 'tls', tls: { ...tls, handshakeTimeout: '1s' } }),
      listener('wss', { name: 'wss', path: '/mqtt', tls }),
      listener('tls', { name: 'mutual', tls: mutual }),
      listener('tcp', { name: 'tcp' }),
    ]
    server = await Server.start({ gateways: { mqtt: { listeners } } })
  })
  after(async () => {
    await server?.stop()
    certificates.delete()
  })

  const tlsPort = (nth = 0): number => server.port('mqtt', 'tls', nth)

  for (const version of [4, 5] as const) {
    for (const [transport, url] of [
      ['tls', () => `mqtts://localhost:${tlsPort()}`],
      ['wss', () => `wss://localhost:${server.port('mqtt', 'wss')}/mqtt`],
    ] as const) {
      test(`MQTT.js ${version === 4 ? '3.1.1' : '5.0'} over ${transport} verifies the server and exchanges messages`, async (t) => {
        const app = await App.connect(url(), t, { version, more: { ca } })
        const topic = `tls/${transport}/${version}`
        await app.subscribe(topic, 2)
        const payload = Buffer.alloc(300_000, 'x')
        await app.publish(topic, payload, { qos: 2 })
        const { payload: arrived } = await app.message('the message', () => true)
        assert.ok(arrived.equals(payload))
      })
    }
  }

  test('mosquitto clients verify the server and exchange messages', { skip: lacking('mosquitto_pub') }, async (t) => {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe('tls/mosquitto')
    const place = ['-h', 'localhost', '-p', String(tlsPort()), '--cafile', certificates.path('server.pem')]
    const { code, stderr } = await run(program('mosquitto_pub'), [...place, '-t', 'tls/mosquitto', '-m', 'sealed', '-q', '1'])
    assert.equal(code, 0, stderr)
    await app.message('the message', ({ text }) => text === 'sealed')
  })

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`openssl s_client ${version} finishes its handshake and verifies the certificate`, async () => {
      const place = ['-connect', `localhost:${tlsPort()}`, '-servername', 'localhost', '-verify_hostname', 'localhost']
      const text = await certificates.openssl('s_client', ...place, '-CAfile', 'server.pem', '-verify_return_error', version)
      assert.match(text, /Verify return code: 0 \(ok\)/)
      assert.match(text, version === '-tls1_2' ? /TLSv1\.2/ : /TLSv1\.3/)
    })
  }

  test('older protocols and plain text are refused and counted', async (t) => {
    const before = await Sys.read(server.port('mqtt'))
    const old = ['-connect', `localhost:${tlsPort()}`, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']
    assert.notEqual((await run(program('openssl'), ['s_client', ...old])).code, 0)
    const plain = await TcpPeer.open(tlsPort(), t)
    plain.send('GET / HTTP/1.1\r\n\r\n')
    await plain.untilClosed()
    const name = 'gateways/mqtt/listeners/tls/tlsErrors'
    assert.equal((await Sys.read(server.port('mqtt'))).at(name) - before.at(name), 2)
  })

  test('a connection that never begins its handshake is closed and counted', async (t) => {
    const before = await Sys.read(server.port('mqtt'))
    const silent = await TcpPeer.open(tlsPort(), t)
    await silent.untilClosed()
    const name = 'gateways/mqtt/listeners/tls/tlsErrors'
    assert.equal((await Sys.read(server.port('mqtt'))).at(name) - before.at(name), 1)
  })

  test('a client that does not know the certificate does not connect', async (t) => {
    await assert.rejects(App.connect(`mqtts://localhost:${tlsPort()}`, t), /self-signed|self signed/)
  })

  describe('with client certificates', () => {
    const pair = (name: string) => ({
      cert: certificates.read(`${name}.pem`),
      key: certificates.read(`${name}-key.pem`),
    })

    test('a device whose certificate the CA signed gets in', async (t) => {
      const app = await App.connect(`mqtts://localhost:${tlsPort(1)}`, t, { more: { ca, ...pair('device') } })
      await app.settled()
    })

    for (const name of ['none', 'stranger']) {
      test(`a device with ${name === 'none' ? 'no certificate' : 'a certificate of its own making'} does not`, async (t) => {
        const more = name === 'none' ? { ca } : { ca, ...pair(name) }
        await assert.rejects(App.connect(`mqtts://localhost:${tlsPort(1)}`, t, { more }))
        assert.ok((await Sys.read(server.port('mqtt'))).at('gateways/mqtt/listeners/mutual/tlsErrors') > 0)
      })
    }
  })
})
