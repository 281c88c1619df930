/** MQTT 3.1.1 sections 3.12 to 3.14, 4.2 and 4.8: life and end of a connection. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a keepalive=10
  a<< CONNACK code=0 sessionPresent=false`

dialogue(
  '[MQTT-3.1.2-24] one and a half keep-alives of silence end the connection, any packet starts them anew',
  `${ONLINE}
  ~ 14s
  a>> PUBLISH topic=t "x"
  ~ 14s
  a>> PINGREQ
  a<< PINGRESP
  ~ 15s a closed keepalive-timeout
  clients 0`,
)

dialogue(
  'a keep-alive of 0 never ends a connection (3.1.1 section 3.1.2.10)',
  `
  a = tcp
  a>> CONNECT clientId=a keepalive=0
  a<< CONNACK code=0 sessionPresent=false
  quiet timers=0
  ~ 30d
  a open`,
)

dialogue(
  '[MQTT-3.12.4-1] PINGREQ is answered with PINGRESP',
  `${ONLINE}
  a>> PINGREQ
  a<< PINGRESP`,
)

test('[MQTT-3.14.1-1] reserved bits of DISCONNECT close the connection as a fault: the will is published', async () => {
  await eachCloses({ 'bit 0': 'e100', 'bit 3': 'e800' })
})

dialogue(
  '[MQTT-3.14.4-1] behind DISCONNECT the connection is closed',
  `${ONLINE}
  a>> DISCONNECT
  a closed disconnected
  clients 0`,
)

dialogue(
  '[MQTT-3.14.4-2] what stands behind DISCONNECT is not processed',
  `
  app subscribes t${ONLINE}
  a>> hex e0 00 30 04 00 01 74 78
  a closed disconnected
  app<< nothing`,
)

dialogue(
  '[MQTT-3.14.4-3] DISCONNECT discards the will',
  `
  app subscribes will
  a = tcp
  a>> CONNECT clientId=a clean=false will=will willPayload=gone
  a<< CONNACK code=0 sessionPresent=false
  a>> DISCONNECT
  ~ 1d app<< nothing`,
)

test('[MQTT-4.8.0-1] a violation of the protocol closes the connection', () =>
  eachCloses({
    'CONNACK, a packet of the server': '20 02 00 00',
    'SUBACK, a packet of the server': '9003 0001 00',
    'a packet type that does not exist': '0000',
    'a packet type of 5.0': 'f000',
    'a remaining length of five octets': '30 80 80 80 80 01',
  }))

test('[MQTT-4.8.0-2] an error of our own while a packet is processed closes its connection, and no other', async () => {
  const access = {
    authenticate: () => ({ ok: true }) as const,
    authorize: (subject: { readonly id: string }) => {
      if (subject.id === 'unlucky') throw new Error('the source of permissions is broken')
      return true
    },
  }
  const { client, world } = await fixture({}, {}, { access })
  const other = client('other')
  const unlucky = client('unlucky')
  unlucky.publish('t', 'x', { qos: 1, messageId: 1 })
  assert.equal(unlucky.peer.closed, 'session-fault')
  assert.deepEqual(unlucky.take(), [])
  assert.equal(other.peer.closed, undefined)
  assert.equal(world.faults(), 1)
})

test('[MQTT-6.0.0-2] packets need not begin or end where chunks do', async () => {
  const { open } = await fixture()
  const peer = open()
  const octets = [
    ...peer.encode({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'a', clean: true, keepalive: 0 }),
    ...peer.encode({ cmd: 'pingreq' }),
    ...peer.encode({ cmd: 'publish', topic: 't', payload: 'x'.repeat(300), qos: 1, messageId: 1, retain: false, dup: false }),
  ]
  for (const octet of octets) peer.raw([octet])
  assert.deepEqual(
    peer.take().map(({ cmd }) => cmd),
    ['connack', 'pingresp', 'puback'],
  )
})

dialogue(
  '[MQTT-7.0.0-2] a client that uses no extension is served in full, 3.1 as well',
  `
  a = tcp
  a>> CONNECT clientId=a version=3.1
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a>> PUBLISH topic=t qos=1 id=2 "x"
  a<< PUBLISH topic=t qos=1 id=1 "x"
  a<< PUBACK id=2
  a>> PUBACK id=1
  a>> DISCONNECT
  a closed disconnected`,
)
