/** CoAP over TCP and TLS (RFC 8323) with libcoap's own client. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Child, Cleanup } from '../e2e/child.ts'
import { App, Sys } from '../e2e/mqtt-app.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { capture } from './capture.ts'
import { Certificates } from './certificates.ts'
import { COAP_CLIENT, coap, coapWith, observe, observeWith } from './coap-client.ts'
import { cannotCapture, lacking } from './program.ts'

let server: Server
let certificates: Certificates
let mqtt = 0

interface Transport {
  readonly title: string
  readonly needs: string
  uri(path: string): string
  ask(...args: readonly string[]): ReturnType<typeof coap>
  observe(path: string, cleanup: Cleanup, seconds: number, ...args: readonly string[]): Child
}

function plain(path: string): string {
  return `coap+tcp://127.0.0.1:${server.port('coap', 'tcp')}${path}`
}

const overTcp: Transport = {
  title: 'TCP',
  needs: COAP_CLIENT,
  uri: plain,
  ask: coap,
  observe: (path, cleanup, seconds, ...args) => observe(plain(path), cleanup, seconds, ...args),
}

/** The client verifies the server's certificate. */
function overTls(client: string): Transport {
  const uri = (path: string): string => `coaps+tcp://localhost:${server.port('coap', 'tls')}${path}`
  const trust = (): string[] => ['-v', '2', '-C', certificates.path('server.pem')]
  return {
    title: `TLS of ${client}`,
    needs: client,
    uri,
    ask: (...args) => coapWith([client], ...trust(), ...args),
    observe: (path, cleanup, seconds, ...args) => observeWith([client], uri(path), cleanup, seconds, ...trust(), ...args),
  }
}

async function ended(): Promise<number> {
  return (await Sys.read(mqtt)).at('gateways/coap/counters/observation-ended-cancelled')
}

const TEXT = 'abcdefgh'.repeat(12_800)

describe('coap-client of libcoap over streams', { skip: without('mqtt', 'coap') || lacking(COAP_CLIENT, 'openssl') }, () => {
  before(async () => {
    certificates = new Certificates()
    const tls = await certificates.ofServer('server')
    const listeners = [listener('tcp'), listener('tls', { tls })]
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] }, coap: { listeners } } })
    mqtt = server.port('mqtt')
  })
  after(async () => {
    await server.stop()
    certificates.delete()
  })

  for (const { title, needs, uri, ask, observe } of [overTcp, overTls('coap-client-openssl'), overTls('coap-client-gnutls')]) {
    describe(`over ${title}`, { skip: lacking(needs) }, () => {
      for (const method of ['post', 'put']) {
        test(`${method.toUpperCase()} reaches an MQTT subscriber`, async (t) => {
          const app = await (await App.connect(mqtt, t)).subscribe(`sensors/${method}`)
          assert.equal((await ask('-m', method, '-e', '21.5', uri(`/ps/sensors/${method}?clientid=t1`))).error, '')
          const { text, packet } = await app.message('the message', () => true)
          assert.deepEqual([text, packet.qos], ['21.5', 1])
        })
      }

      test('GET reads the retained value, and 4.04 says that there is none', async (t) => {
        const app = await App.connect(mqtt, t)
        await app.publish('state/lamp', 'on', { retain: true })
        assert.deepEqual(await ask('-m', 'get', uri('/ps/state/lamp?clientid=t1')), { payload: 'on', error: '' })
        assert.match((await ask('-m', 'get', uri('/ps/state/nothing?clientid=t1'))).error, /^4\.04/)
      })

      for (const [name, args] of [
        ['confirmable', []],
        ['non-confirmable', ['-N']],
      ] as const) {
        test(`a ${name} observation receives every message in order`, async (t) => {
          const app = await App.connect(mqtt, t)
          const topic = `news/${name}`
          await app.publish(topic, 'zero', { retain: true })
          const observer = observe(`/ps/${topic}?clientid=t2`, t, 60, ...args)
          await observer.line(/^zero$/)
          for (const [qos, text] of ['one', 'two', 'three'].entries()) await app.publish(topic, text, { qos: qos as 0 | 1 | 2 })
          await observer.line(/^three$/)
          assert.deepEqual(observer.out, ['zero', 'one', 'two', 'three'])
        })
      }

      test('who stops observing is an observer no more', async (t) => {
        const before = await ended()
        await observe('/ps/news/short?clientid=t4', t, 1).ended
        assert.equal(await ended(), before + 1)
      })

      for (const size of ['whole', '1024', '64']) {
        test(`a body of 100 KiB goes up and comes down, ${size === 'whole' ? 'in one message' : `in blocks of ${size}`}`, async (t) => {
          const file = join(server.folder, `body-${size}`)
          writeFileSync(file, TEXT)
          const blocks = size === 'whole' ? [] : ['-b', size]
          const app = await (await App.connect(mqtt, t)).subscribe(`blocks/${size}`)
          const { error } = await ask(...blocks, '-m', 'put', '-f', file, uri(`/ps/blocks/${size}?clientid=t1&retain=true`))
          assert.equal(error, '')
          assert.equal((await app.message('the whole', () => true)).text, TEXT)
          assert.equal((await ask(...blocks, '-m', 'get', uri(`/ps/blocks/${size}?clientid=t3`))).payload, TEXT)
        })
      }

      test('discovery lists what there is', async () => {
        assert.match((await ask('-m', 'get', uri('/.well-known/core?rt=core.ps'))).payload, /^<\/ps>;rt="core\.ps"/)
      })

      test('a login ends with its connection', async () => {
        const { payload: token } = await ask('-m', 'post', uri('/mqtt/connection?clientid=login-t'))
        // The connection of the first program is closed, and its client with it: nobody is logged in any more.
        assert.match((await ask('-m', 'put', uri(`/mqtt/connection?clientid=login-t&token=${token}`))).error, /^4\.01/)
      })
    })
  }

  test('TLS confirms the application protocol, and refuses another one', { skip: lacking('openssl') }, async () => {
    const place = ['s_client', '-connect', `localhost:${server.port('coap', 'tls')}`, '-CAfile', 'server.pem']
    assert.match(await certificates.openssl(...place, '-alpn', 'coap'), /ALPN protocol: coap/)
    assert.match(await certificates.openssl(...place), /No ALPN negotiated/)
    await assert.rejects(certificates.openssl(...place, '-alpn', 'h2'))
  })

  test('Wireshark finds nothing malformed', { skip: lacking('tshark') || cannotCapture() }, async (t) => {
    const port = server.port('coap', 'tcp')
    const app = await App.connect(mqtt, t)
    await app.publish('news/shark', 'zero', { retain: true })
    const file = join(server.folder, 'shark')
    writeFileSync(file, TEXT.slice(0, 5000))
    const traffic = async (): Promise<void> => {
      for (const path of ['/.well-known/core', '/ps/news/shark?clientid=s1', '/ps/none?clientid=s1', '/nowhere', '/ps/a?qos=9']) {
        await coap('-m', 'get', plain(path))
      }
      for (const blocks of [[], ['-b', '64'], ['-b', '1024']]) {
        await coap(...blocks, '-m', 'put', '-f', file, plain('/ps/blocks/shark?clientid=s1&retain=true'))
        await coap(...blocks, '-m', 'get', plain('/ps/blocks/shark?clientid=s1'))
      }
      const observer = observe(plain('/ps/news/shark?clientid=s2'), t, 2)
      await observer.line(/^zero$/)
      for (const qos of [0, 1] as const) await app.publish('news/shark', `QoS ${qos}`, { qos })
      await observer.line(/^QoS 1$/)
      await observer.ended
      await coap('-m', 'delete', plain('/ps/blocks/shark?clientid=s1'))
    }
    const captured = await capture([port], traffic, t)
    const decodeAs = [`tcp.port==${port},coap`]
    // Wireshark 4.0 takes the options of signals, and the client's Request-Tag, for invalid ones: it says the same of libcoap's CSM.
    const faulty = `tcp.srcport == ${port} && !(coap.code >= 224) && (_ws.malformed || coap && _ws.expert.severity == "Error")`
    assert.deepEqual(await captured.packets(faulty, decodeAs), [])
    assert.ok((await captured.packets(`coap && tcp.srcport == ${port}`, decodeAs)).length > 60)
  })
})
