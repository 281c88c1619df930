/** Wireshark's dissector reads what every MQTT-SN 1.2 script sends, both ways, and finds nothing malformed in it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseScript, runScenario } from '../../src/testing.ts'
import { findInstalled, installed } from '../conformance/installed.ts'
import { without } from '../e2e/needs.ts'
import { run } from '../support/process.ts'
import { CaptureFile, type Endpoint } from './pcap.ts'
import { lacking, program } from './program.ts'

const GATEWAY: Endpoint = { address: '10.255.255.254', port: 1884 }
/** The dissector knows 1.2 only. */
const OTHER_VERSION = /\/v2-[^/]+$/

/** The empty WILLTOPIC and WILLTOPICUPD (5.4.7, 5.4.22), of which the dissector does not know that they have no flags. */
const EMPTY_WILL_TOPIC: ReadonlySet<string> = new Set(['0207', '021a'])

/** Of the datagrams that a display filter selects: the types of the messages in them, the outer one first, a line each. */
async function types(file: string, filter: string): Promise<string[]> {
  const fields = ['-T', 'fields', '-e', 'mqttsn.msg.type', '-E', 'occurrence=a']
  const args = ['-n', '-r', file, '-d', `udp.port==${GATEWAY.port},mqttsn`, '-Y', filter, ...fields]
  const { code, stdout, stderr } = await run(program('tshark'), args)
  assert.equal(code, 0, stderr)
  return stdout.split('\n').filter((line) => line !== '')
}

/** Every message type that the dissector has a name for. */
async function knownTypes(): Promise<number[]> {
  const { code, stdout, stderr } = await run(program('tshark'), ['-G', 'values'])
  assert.equal(code, 0, stderr)
  return [...stdout.matchAll(/^V\tmqttsn\.msg\.type\t(\d+)\t(?!Reserved)/gm)].map(([, type]) => Number(type))
}

function typesIn(lines: readonly string[]): ReadonlySet<number> {
  return new Set(lines.flatMap((line) => line.split(',')).map(Number))
}

const skip = without('mqtt-sn') || lacking('tshark')

test('tshark finds no malformed MQTT-SN message in any script', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-capture-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'packets.pcap')
  const capture = new CaptureFile()
  let sent = 0
  const scripts = (await installed()).find(({ name }) => name === 'mqtt-sn')?.scripts ?? []
  for (const { path, text } of scripts.filter((script) => !OTHER_VERSION.test(script.path))) {
    for (const scenario of parseScript(text, path)) {
      await runScenario(scenario, findInstalled, (bytes, way, peer) => {
        if (EMPTY_WILL_TOPIC.has(Buffer.from(bytes).toString('hex'))) return
        if (way === 'up') capture.add(peer, GATEWAY, bytes)
        else capture.add(GATEWAY, peer, bytes)
        sent += way === 'down' ? 1 : 0
      })
    }
  }
  capture.write(file)

  assert.deepEqual(await types(file, '_ws.malformed || !mqttsn || _ws.expert.severity == "Error"'), [])
  const ours = await types(file, `mqttsn && udp.srcport == ${GATEWAY.port}`)
  assert.equal(ours.length, sent)
  // ADVERTISE, GWINFO, CONNACK, WILLTOPICREQ, WILLMSGREQ, REGISTER, REGACK, PUBLISH, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK,
  // UNSUBACK, PINGRESP, DISCONNECT, WILLTOPICRESP, WILLMSGRESP.
  const expected = [0x00, 0x02, 0x05, 0x06, 0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x13, 0x15, 0x17, 0x18, 0x1b, 0x1d]
  const seen = typesIn(ours)
  assert.deepEqual(
    expected.filter((type) => !seen.has(type)),
    [],
  )
  const known = await knownTypes()
  assert.equal(known.length, 28)
  const all = typesIn(await types(file, 'mqttsn'))
  assert.deepEqual(
    known.filter((type) => !all.has(type)),
    [],
    'the scripts exchange every message',
  )
})
