import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collide, isExposed, parseBind } from '../../../src/config/bind.ts'
import type { TransportKind } from '../../../src/sdk.ts'

test('addresses with a port', () => {
  const cases: Record<string, [host: string, port: number]> = {
    '127.0.0.1:1883': ['127.0.0.1', 1883],
    '0.0.0.0:0': ['0.0.0.0', 0],
    '[::1]:1883': ['::1', 1883],
    '[::]:65535': ['::', 65535],
    '[fe80::1%eth0]:5683': ['fe80::1%eth0', 5683],
    'localhost:1883': ['localhost', 1883],
    'edge-1.example.org:1883': ['edge-1.example.org', 1883],
    ':1883': ['0.0.0.0', 1883],
    '*:1883': ['0.0.0.0', 1883],
    '1883': ['0.0.0.0', 1883],
    ' 1883 ': ['0.0.0.0', 1883],
  }
  for (const [text, [host, port]] of Object.entries(cases)) assert.deepEqual(parseBind(text), { host, port }, text)
})

test('what is no address says why', () => {
  const cases: Record<string, RegExp> = {
    '': /no address with a port/,
    localhost: /no address with a port/,
    '127.0.0.1': /no address with a port/,
    '127.0.0.1:': /no address with a port/,
    '::1': /brackets/,
    '::1:1883': /brackets/,
    '[::1]': /no address with a port/,
    '[1.2.3.4]:1883': /no IPv6 address/,
    '127.0.0.1:65536': /above 65535/,
    '127.0.0.1:-1': /no address with a port/,
    '300.0.0.1:1883': /no IPv4 address/,
    '1.2.3:1883': /no IPv4 address/,
    'under_score:1883': /no host name/,
    '-x:1883': /no host name/,
    'tcp://127.0.0.1:1883': /no address with a port/,
  }
  for (const [text, wanted] of Object.entries(cases)) {
    const parsed = parseBind(text)
    assert.ok(typeof parsed === 'string', `${text} was accepted`)
    assert.match(parsed, wanted, text)
  }
})

test('loopback is not exposed', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.equal(isExposed(host), false, host)
  for (const host of ['0.0.0.0', '::', '192.168.1.4', 'edge.example.org', '127.example.org'])
    assert.equal(isExposed(host), true, host)
})

test('two listeners collide on one port of one transport family', () => {
  const at = (type: TransportKind, host: string, port: number) => ({ type, host, port })
  assert.ok(collide(at('tcp', '127.0.0.1', 1), at('ws', '127.0.0.1', 1)))
  assert.ok(collide(at('udp', '0.0.0.0', 1), at('dtls', '127.0.0.1', 1)))
  assert.ok(collide(at('tcp', '127.0.0.1', 1), at('tcp', '0.0.0.0', 1)))
  assert.ok(collide(at('tcp', '::', 1), at('tcp', '0.0.0.0', 1)))
  assert.ok(collide(at('tcp', 'Example.org', 1), at('tcp', 'example.org', 1)))
  assert.ok(!collide(at('tcp', '127.0.0.1', 1), at('udp', '127.0.0.1', 1)))
  assert.ok(!collide(at('tcp', '127.0.0.1', 1), at('tcp', '127.0.0.2', 1)))
  assert.ok(!collide(at('tcp', '0.0.0.0', 1), at('tcp', '::1', 1)))
  assert.ok(!collide(at('tcp', '127.0.0.1', 1), at('tcp', '127.0.0.1', 2)))
  assert.ok(!collide(at('tcp', '127.0.0.1', 0), at('tcp', '127.0.0.1', 0)))
})
