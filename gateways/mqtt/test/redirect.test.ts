/** Where else to go, and where to receive responses (MQTT 5.0 sections 4.11, 4.10, 3.2.2.3.15 and 3.2.2.3.16). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IConnackPacket, IDisconnectPacket } from 'mqtt-packet'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

dialogue(
  '5.0 whoever connects is sent elsewhere: 0x9C or 0x9D with the server reference, in 3.1.1 the server is unavailable',
  `
  gateway mqtt {"redirect":{"server":"b.example:1883","when":"always"}}
  gateway moved use mqtt {"redirect":{"server":"c.example:1883","when":"always","mode":"moved"}}
  a = tcp on mqtt
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0x9c sessionPresent=false serverReference=b.example:1883
  a closed not-authorized
  b = tcp on moved
  b>> CONNECT clientId=a version=5.0
  b<< CONNACK code=0x9d sessionPresent=false serverReference=c.example:1883
  c = tcp on mqtt
  c>> CONNECT clientId=c
  c<< CONNACK code=3 sessionPresent=false
  c closed not-authorized
  clients 0`,
)

test('5.0 a gateway that stops tells its clients where to go, in 3.1.1 it just closes', async () => {
  const { client, gateway } = await fixture({ redirect: { server: 'b.example:1883', mode: 'moved' } })
  const told = client('told', 5)
  const old = client('old', 4)
  await gateway.close()
  const [goodbye] = told.take() as [IDisconnectPacket]
  assert.equal(goodbye.reasonCode, 0x9d)
  assert.equal(goodbye.properties?.serverReference, 'b.example:1883')
  assert.deepEqual(old.take(), [])
})

test('5.0 without a redirection a gateway that stops says 0x8B', async () => {
  const { client, gateway } = await fixture()
  const peer = client('a', 5)
  await gateway.close()
  const [goodbye] = peer.take() as [IDisconnectPacket]
  assert.deepEqual([goodbye.reasonCode, goodbye.properties?.serverReference], [0x8b, undefined])
})

test('5.0 [MQTT-3.1.2-28] response information is given to who asks for it, with its own names', async () => {
  const { open } = await fixture({ responseInformation: 'response/${gateway}/${clientid}/${username}/${other}' })
  const information = (clientId: string, extra: object): string | undefined => {
    const peer = open(5)
    peer.connect(clientId, { username: 'u/1', ...extra })
    return (peer.take() as [IConnackPacket])[0].properties?.responseInformation
  }
  const asks = { properties: { requestResponseInformation: true } }
  assert.equal(information('a+b', asks), 'response/mqtt/a%2Bb/u%2F1/${other}')
  assert.match(information('', asks) ?? '', /^response\/mqtt\/auto-[0-9a-f]{24}\//)
  assert.equal(information('b', { properties: { requestResponseInformation: false } }), undefined)
  assert.equal(information('c', {}), undefined)
})

test('5.0 no response information where none is configured', async () => {
  const { open } = await fixture()
  const peer = open(5)
  peer.connect('a', { properties: { requestResponseInformation: true } })
  const [connack] = peer.take() as [IConnackPacket]
  assert.equal(connack.properties?.responseInformation, undefined)
})
