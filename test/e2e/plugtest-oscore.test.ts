/** The plugtest server on a loopback socket: requests that OSCORE protects. RFC 8613 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DELETE, GET, POST, PUT } from '#stacks/coap/codes'
import {
  ETAG,
  IF_MATCH,
  IF_NONE_MATCH,
  MAX_AGE,
  OBSERVE,
  type Option,
  opaqueOption,
  textOption,
  URI_QUERY,
  uintOption,
} from '#stacks/coap/options'
import { PlugtestServer } from '../../examples/coap-plugtest-server/server.ts'
import { OscoreDevice } from './oscore-device.ts'

async function start(t: TestContext, sender = '', idContext?: string) {
  const counts: string[] = []
  const server = new PlugtestServer({ host: '127.0.0.1', port: 0, counted: (name) => void counts.push(name) })
  const port = await server.start()
  t.after(() => server.stop())
  return { client: new OscoreDevice(port, t, sender, idContext), counts }
}

for (const [sender, idContext] of [
  ['', undefined],
  ['', '37cbf3210017a2d3'],
  ['00', undefined],
] as const) {
  test(`a request that OSCORE protects is answered so: id '${sender}', ID context ${idContext ?? 'none'}`, async (t) => {
    const { client, counts } = await start(t, sender, idContext)
    const { send, opened } = client.request(GET, 'oscore/hello/1')
    send()
    const { code, text } = await opened()
    assert.deepEqual([code, text], ['2.05', 'Hello World!'])
    send()
    assert.equal(new TextDecoder().decode((await client.received()).payload), 'Replay detected')
    assert.deepEqual(counts, ['oscore-refused'])
  })
}

test('options and methods are protected each way', async (t) => {
  const { client } = await start(t)
  const tagged = await client.ask(GET, 'oscore/hello/2', [textOption(URI_QUERY, 'first=1')])
  assert.deepEqual([tagged.code, tagged.text, tagged.options.opaque(ETAG)], ['2.05', 'Hello World!', Uint8Array.of(0x2b)])
  assert.equal((await client.ask(GET, 'oscore/hello/3')).options.uint(MAX_AGE), 5)
  assert.deepEqual((await client.ask(POST, 'oscore/hello/6', [], 'J')).text, 'J')
  const put = async (option: Option): Promise<string> => (await client.ask(PUT, 'oscore/hello/7', [option], 'z')).code
  assert.equal(await put(opaqueOption(IF_MATCH, Uint8Array.of(0x7b))), '2.04')
  assert.equal(await put(opaqueOption(IF_MATCH, Uint8Array.of(0x7c))), '4.12')
  assert.equal(await put(opaqueOption(IF_NONE_MATCH, new Uint8Array(0))), '4.12')
  assert.equal((await client.ask(DELETE, 'oscore/test')).code, '2.02')
})

test('notifications are protected, and the last word too', async (t) => {
  const { client } = await start(t)
  const { send, opened } = client.request(GET, 'oscore/observe1', [uintOption(OBSERVE, 0)])
  send()
  const told: [string, string, boolean][] = []
  while (told.length < 3) {
    const { code, text, options } = await opened()
    told.push([code, text, options.has(OBSERVE)])
  }
  assert.deepEqual(told, [
    ['2.05', 'one', true],
    ['2.05', 'two', true],
    ['5.00', 'Terminate Observe', false],
  ])
})
