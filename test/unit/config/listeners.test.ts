import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import type { ListenerConfig } from '../../../src/config/effective.ts'
import { defaultListeners } from '../../../src/config/listeners.ts'
import type { GatewayModule } from '../../../src/sdk.ts'
import alpha from './gateways/alpha/index.ts'
import { instance, load, problemsOf, valid } from './support.ts'

async function listenersOf(yaml: string, gateway = 'alpha'): Promise<readonly ListenerConfig[]> {
  return instance(await valid(`gateways: { ${gateway}: { listeners: ${yaml} } }`), gateway).listeners
}

describe('what a listener becomes', () => {
  test('a plain one', async () => {
    const [listener] = await listenersOf('[ { type: tcp, bind: "[::1]:0" } ]')
    assert.deepEqual(listener, {
      name: 'tcp-0',
      origin: 'gateways.alpha.listeners[0]',
      type: 'tcp',
      host: '::1',
      port: 0,
      path: undefined,
      subprotocols: undefined,
      requireSubprotocol: undefined,
      wholeMessages: undefined,
      tls: undefined,
      proxyProtocol: false,
      tcpKeepAliveMs: 0,
      receiveBufferBytes: undefined,
      multicast: undefined,
      sendBufferBytes: undefined,
      limits: {
        maxConnections: 100_000,
        maxConnectRate: 10_000,
        maxMessageRate: 0,
        maxByteRate: 0,
        maxQueuedBytes: 4 * 1024 ** 2,
        highWaterBytes: 64 * 1024,
        idlePeerTimeoutMs: 300_000,
        maxFrameBytes: 1024 ** 2,
      },
    })
  })

  test('WebSocket: path and sub-protocols of the gateway, or its own path', async () => {
    const [first, second] = await listenersOf(
      '[ { type: ws, bind: 1 }, { type: ws, bind: 2, path: /other, requireSubprotocol: false } ]',
    )
    assert.deepEqual([first?.path, first?.subprotocols, first?.requireSubprotocol], ['/alpha', ['alpha.v1'], true])
    assert.deepEqual([second?.path, second?.requireSubprotocol], ['/other', false])
  })

  test('TLS: files relative to the config file, PEM text as it is', async () => {
    const config = await valid(
      `gateways:
  alpha:
    listeners:
      - { type: tls, bind: "127.0.0.1:0", tls: { cert: server.pem, key: /etc/key.pem, ca: "\${CA}", requestClientCert: true } }
`,
      { CA: '-----BEGIN CERTIFICATE-----' },
    )
    const [listener] = instance(config, 'alpha').listeners
    assert.equal(listener?.tls?.cert, join(dirname(config.file ?? ''), 'server.pem'))
    assert.equal(listener?.tls?.key, '/etc/key.pem')
    assert.equal(listener?.tls?.ca, '-----BEGIN CERTIFICATE-----')
    assert.equal(listener?.tls?.requestClientCert, true)
    assert.equal(listener?.tls?.requireClientCert, false)
    assert.equal(listener?.tls?.handshakeTimeoutMs, 10_000)
  })

  test('names: given, or made of transport and port', async () => {
    const names = (
      await listenersOf(
        '[ { type: tcp, bind: 0 }, { type: tcp, bind: 0 }, { type: ws, bind: 5, name: tcp-0-3 }, { type: tcp, bind: 0 } ]',
      )
    ).map(({ name }) => name)
    assert.deepEqual(names, ['tcp-0', 'tcp-0-2', 'tcp-0-3', 'tcp-0-4'])
  })

  test('without an address: the standard port on loopback', async () => {
    const [listener] = await listenersOf('[ { type: ws } ]')
    assert.deepEqual([listener?.host, listener?.port], ['127.0.0.1', 21002])
  })

  test('an optional one: only where it is asked for', async () => {
    const listeners = alpha.listeners.map((listener) => ({ ...listener, optional: listener.type === 'ws' }))
    const types = defaultListeners({ ...alpha, listeners } as GatewayModule).map(({ type }) => type)
    assert.deepEqual(types, ['tcp'])
  })

  test('limits and buffers in bytes and ms', async () => {
    const [listener] = await listenersOf(
      '[ { type: udp, bind: ":9", receiveBuffer: 4MiB, limits: { maxByteRate: 1KiB, maxConnections: 5, idlePeerTimeout: 0s } } ]',
      'beta',
    )
    assert.equal(listener?.receiveBufferBytes, 4 * 1024 ** 2)
    assert.equal(listener?.limits.maxByteRate, 1024)
    assert.equal(listener?.limits.maxConnections, 5)
    assert.equal(listener?.limits.idlePeerTimeoutMs, 0)
  })

  test('multicast', async () => {
    const [listener] = await listenersOf(
      '[ { type: udp, bind: ":9", multicast: { groups: [225.1.1.1], announceTo: ["225.1.1.1:1883"], hops: 3 } } ]',
      'beta',
    )
    assert.deepEqual(listener?.multicast, {
      groups: ['225.1.1.1'],
      announceTo: [{ host: '225.1.1.1', port: 1883 }],
      hops: 3,
    })
  })
})

describe('what is wrong with a listener', () => {
  const cases: Record<string, [gateway: string, yaml: string, line: string]> = {
    'transport of another gateway': [
      'beta',
      '[ { type: tcp, bind: "127.0.0.1:1" } ]',
      'gateways.beta.listeners[0].type: beta has no tcp listener. Use udp.',
    ],
    'DTLS where there are no datagrams': [
      'alpha',
      '[ { type: dtls, bind: "127.0.0.1:1" } ]',
      'gateways.alpha.listeners[0].type: alpha has no dtls listener. Use tcp, tls, ws or wss.',
    ],
    'no such transport': [
      'alpha',
      '[ { type: sctp, bind: "127.0.0.1:1" } ]',
      'gateways.alpha.listeners[0].type: "sctp" is not valid here. Write "tcp", "tls", "ws" or "wss".',
    ],
    DTLS: [
      'beta',
      '[ { type: udp, bind: "127.0.0.1:1" }, { type: dtls, bind: "127.0.0.1:2" } ]',
      'gateways.beta.listeners[1].type: this version of Omnigate has no DTLS. Remove this listener, or use udp inside a protected network.',
    ],
    'no certificate': [
      'alpha',
      '[ { type: wss, bind: "127.0.0.1:1" } ]',
      'gateways.alpha.listeners[0].tls: a wss listener needs a certificate and its key. Add tls: { cert: server.pem, key: server-key.pem }, with paths relative to the config file.',
    ],
    'half a certificate': [
      'alpha',
      '[ { type: tls, bind: "127.0.0.1:1", tls: { cert: a.pem } } ]',
      'gateways.alpha.listeners[0].tls.key: this key is missing. Add it: the path of a file.',
    ],
    'client certificates without a CA': [
      'alpha',
      '[ { type: tls, bind: "127.0.0.1:1", tls: { cert: a, key: b, requireClientCert: true } } ]',
      'gateways.alpha.listeners[0].tls: client certificates need `ca`, the certificates that sign them. Add ca: clients-ca.pem.',
    ],
    'certificate on a plain listener': [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1:1", tls: { cert: a, key: b } } ]',
      'gateways.alpha.listeners[0].tls: "tls" means nothing on a tcp listener. Remove it, or use tls or wss.',
    ],
    'path on a stream': [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1:1", path: /x } ]',
      'gateways.alpha.listeners[0].path: "path" means nothing on a tcp listener. Remove it, or use ws or wss.',
    ],
    'PROXY protocol on datagrams': [
      'beta',
      '[ { type: udp, bind: "127.0.0.1:1", proxyProtocol: true } ]',
      'gateways.beta.listeners[0].proxyProtocol: "proxyProtocol" means nothing on a udp listener. Remove it, or use another gateway.',
    ],
    'multicast on a stream': [
      'alpha',
      '[ { type: tcp, bind: ":1", multicast: {} } ]',
      'gateways.alpha.listeners[0].multicast: "multicast" means nothing on a tcp listener. Remove it, or use another gateway.',
    ],
    'a group where nothing can be heard of it': [
      'beta',
      '[ { type: udp, bind: "127.0.0.1:1", multicast: { groups: [225.1.1.1] } } ]',
      'gateways.beta.listeners[0].multicast: a listener on a single address hears nothing that is sent to a group. Bind "0.0.0.0:PORT" or "[::]:PORT".',
    ],
    'a group of the other family': [
      'beta',
      '[ { type: udp, bind: ":1", multicast: { announceTo: ["[ff02::1]:1883"] } } ]',
      'gateways.beta.listeners[0].multicast: ff02::1 is no IPv4 address, as the listener binds. Use a listener of its own for it.',
    ],
    'an address that is no group': [
      'beta',
      '[ { type: udp, bind: ":1", multicast: { groups: [10.0.0.1] } } ]',
      'gateways.beta.listeners[0].multicast.groups[0]: "10.0.0.1" is not valid here. Write a multicast address such as "225.1.1.1" or "ff02::1".',
    ],
    'a port that no group has': [
      'beta',
      '[ { type: udp, bind: ":1", multicast: { announceTo: ["225.1.1.1:70000"] } } ]',
      'gateways.beta.listeners[0].multicast: 225.1.1.1:70000: port 70000 is above 65535. Write another port.',
    ],
    address: [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1" } ]',
      'gateways.alpha.listeners[0].bind: "127.0.0.1": is no address with a port. Write an address and port such as "127.0.0.1:1883", "[::1]:1883" or ":1883".',
    ],
    'port number': [
      'alpha',
      '[ { type: tcp, bind: 70000 } ]',
      'gateways.alpha.listeners[0].bind: 70000 is not valid here. Write text or a whole number from 0 to 65535.',
    ],
    'no standard port': [
      'alpha',
      '[ { type: wss, tls: { cert: a, key: b } } ]',
      'gateways.alpha.listeners[0].bind: alpha has no standard port for wss. Add an address such as "127.0.0.1:5000".',
    ],
    'limits that contradict': [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1:1", limits: { highWater: 8MiB } } ]',
      'gateways.alpha.listeners[0].limits: limits.highWater is above limits.maxQueuedBytes: the device would be cut off before it could pause. Lower highWater or raise maxQueuedBytes.',
    ],
    'doubled name': [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1:1", name: a }, { type: ws, bind: "127.0.0.1:2", name: a } ]',
      'gateways.alpha.listeners[1].name: another listener of this gateway is called "a" already. Rename one of them.',
    ],
    'empty list': [
      'alpha',
      '[]',
      'gateways.alpha.listeners: a list is not valid here. Name at least one listener, or leave the key out for the standard one.',
    ],
    'doubled address': [
      'alpha',
      '[ { type: tcp, bind: "127.0.0.1:7" }, { type: ws, bind: ":7" } ]',
      'gateways.alpha.listeners[1].bind: ws 0.0.0.0:7 is taken by gateways.alpha.listeners[0] (127.0.0.1:7). Give one of the two another port.',
    ],
  }
  for (const [name, [gateway, yaml, line]] of Object.entries(cases)) {
    test(name, async () => {
      const lines = await problemsOf(`gateways: { ${gateway}: { listeners: ${yaml} } }`)
      assert.deepEqual(
        lines.map((text) => text.replace(/^omnigate\.yaml:\d+:\d+ /, '')),
        [line],
      )
      assert.match(lines[0] ?? '', /^omnigate\.yaml:1:\d+ /)
    })
  }

  test('one bad listener does not hide the faults of the others', async () => {
    const lines = await problemsOf(
      'gateways: { alpha: { listeners: [ { type: tcp, bond: 1 }, { type: tls, bind: 2 }, { type: tcp, bind: x } ] } }',
    )
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      ['gateways.alpha.listeners[0].bond:', 'gateways.alpha.listeners[1].tls:', 'gateways.alpha.listeners[2].bind:'],
    )
  })

  test('addresses are compared across gateways, disabled ones aside', async () => {
    const two = (extra: string) =>
      `gateways:\n  alpha: { listeners: [ { type: tcp, bind: ":7" } ] }\n  b: { use: alpha, ${extra} listeners: [ { type: tcp, bind: "127.0.0.1:7" } ] }\n`
    assert.match(
      (await problemsOf(two('')))[0] ?? '',
      /omnigate\.yaml:3:\d+ gateways\.b\.listeners\[0\]\.bind: tcp 127\.0\.0\.1:7 is taken by gateways\.alpha/,
    )
    assert.deepEqual(await problemsOf(two('enabled: false,')), [])
  })
})

test('listeners that other machines reach draw a warning, unless certificates are required', async () => {
  const { warnings, problems } = await load(`gateways:
  alpha:
    listeners:
      - { type: tcp, bind: ":1" }
      - { type: tcp, bind: "127.0.0.1:2" }
      - { type: tls, bind: ":3", tls: { cert: a, key: b, ca: c, requireClientCert: true } }
      - { type: tls, bind: ":4", tls: { cert: a, key: b } }
`)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    warnings.map(({ code, path, source }) => [code, path, source]),
    [
      ['anonymous-access-exposed', 'gateways.alpha.listeners[0].bind', 'omnigate.yaml:4:28'],
      ['anonymous-access-exposed', 'gateways.alpha.listeners[3].bind', 'omnigate.yaml:7:28'],
    ],
  )
})
