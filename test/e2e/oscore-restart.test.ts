/** A device that protects its requests by OSCORE, while the gateway is killed and started again. RFC 8613 7.5, appendix B.1 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, POST } from '#stacks/coap/codes'
import { ECHO, OBSERVE, opaqueOption, uintOption } from '#stacks/coap/options'
import { App } from './mqtt-app.ts'
import { without } from './needs.ts'
import { OSCORE_KEYS, OscoreDevice } from './oscore-device.ts'
import { listener, Server } from './server.ts'

const REGISTER = uintOption(OBSERVE, 0)
const KILLS = 3

test('no kill makes the gateway take a replay, or use a number twice', { skip: without('mqtt', 'coap') }, async (t) => {
  const oscore = [{ ...OSCORE_KEYS, clientId: 'meter-1', senderId: '01', recipientId: '' }]
  const gateways = { mqtt: { listeners: [listener('tcp')] }, coap: { listeners: [listener('udp')], oscore } }
  const server = await Server.start({ gateways }, t)
  const device = new OscoreDevice(server.port('coap', 'udp'), t)
  const numbers: number[] = []
  const recorded = device.request(POST, 'ps/meters', [], 'recorded')
  recorded.send()
  assert.equal((await recorded.opened()).code, '2.04')

  for (let kill = 0; kill <= KILLS; kill++) {
    const app = await (await App.connect(server.port('mqtt'), t)).subscribe('meters')
    const observed = device.request(GET, 'ps/news', [REGISTER])
    observed.send()
    numbers.push((await observed.opened()).partialIv ?? assert.fail('no Partial IV'))
    await app.publish('news', `before kill ${kill}`, { qos: 1 })
    const { text, partialIv } = await observed.opened()
    assert.equal(text, `before kill ${kill}`)
    numbers.push(partialIv ?? assert.fail('no Partial IV'))
    assert.equal((await device.ask(POST, 'ps/meters', [], `kill ${kill}`)).code, '2.04')
    assert.equal((await app.message('the one that is no replay', () => true)).text, `kill ${kill}`)
    if (kill === KILLS) break

    await server.kill()
    server.launchAgain()
    await server.ready()
    device.port = server.port('coap', 'udp')
    recorded.send()
    const challenge = await recorded.opened()
    assert.equal(challenge.code, '4.01')
    numbers.push(challenge.partialIv ?? assert.fail('no Partial IV'))
    const echo = opaqueOption(ECHO, challenge.options.opaque(ECHO) ?? assert.fail('no Echo'))
    assert.equal((await device.ask(GET, 'ps/none', [echo])).code, '4.04')
    recorded.send()
    assert.equal(new TextDecoder().decode((await device.received()).payload), 'Replay detected')
  }
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
})
