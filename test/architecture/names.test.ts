/** Law 3: the core, the runtime and the API know no protocol by name, not even in a comment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceFile } from '../support/source-tree.ts'
import { at, filesUnder, gatewayFolders, isTest, sourcesUnder } from '../support/source-tree.ts'

const NAMELESS = ['src/broker', 'src/runtime', 'src/api']

/** Standing names, so that the law holds for protocols that are not on disk. */
const KNOWN = ['coap', 'mqtt', 'jt808', 'jt/t', 'lwm2m', 'mqtt-sn', 'mqttsn']

/** Names of a transport are the runtime's own words, also where a gateway folder bears one. */
const TRANSPORTS = new Set(['tcp', 'tls', 'udp', 'dtls', 'ws', 'wss'])

const protocols = [...new Set([...KNOWN, ...gatewayFolders()])].filter((name) => !TRANSPORTS.has(name))

function namesIn(file: SourceFile): string[] {
  const text = file.text.toLowerCase()
  const found: string[] = []
  for (const name of protocols) {
    for (let i = text.indexOf(name); i >= 0; i = text.indexOf(name, i + 1)) found.push(`${at(file, i)} says ${name}`)
  }
  return found
}

test('no protocol is named in the core, the runtime or the API', () => {
  const sources = sourcesUnder(...NAMELESS).filter(({ path }) => !isTest(path))
  assert.ok(sources.length > 0)
  assert.deepEqual(sources.flatMap(namesIn), [])
})

test('no file there bears a protocol in its path', () => {
  const paths = NAMELESS.flatMap(filesUnder).filter((path) => protocols.some((name) => path.includes(name)))
  assert.deepEqual(paths, [])
})

test('a name is seen in any case and in a comment', () => {
  assert.equal(namesIn({ path: 'x.ts', text: 'const a = 1 // as in CoAP\n' }).length, 1)
  assert.deepEqual(namesIn({ path: 'x.ts', text: '\nclass MqttFrame {}' }), ['x.ts:2 says mqtt'])
  assert.deepEqual(namesIn({ path: 'x.ts', text: "const kind = 'tcp'" }), [])
})
