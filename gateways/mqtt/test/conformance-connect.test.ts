/** MQTT 3.1.1 sections 3.1 and 3.2: CONNECT and CONNACK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

test('[MQTT-3.1.2-1] another protocol name closes the connection', () =>
  eachCloses({
    MQTX: '100d 0004 4d515458 04 02 0000 0001 61',
    mqtt: '100d 0004 6d717474 04 02 0000 0001 61',
  }))

dialogue(
  '[MQTT-3.1.2-2] the level of 3.1 under the name of 3.1.1, or the other way round, is answered with 1, then closed',
  `
  a = tcp
  a>> hex 10 0d 00 04 4d 51 54 54 03 02 00 00 00 01 61
  a<< CONNACK code=1 sessionPresent=false
  a closed protocol-error
  b = tcp
  b>> hex 10 0f 00 06 4d 51 49 73 64 70 04 02 00 00 00 01 61
  b<< CONNACK code=1 sessionPresent=false
  b closed protocol-error`,
)

dialogue(
  '[MQTT-3.1.2-4] clean session 0: the session is made, survives its connection, and is resumed',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a>> DISCONNECT
  a closed disconnected
  clients 1
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true
  app>> t x qos=1
  b<< PUBLISH topic=t qos=1 id=* "x"`,
)

dialogue(
  '[MQTT-3.1.2-6] clean session 1: what was before is discarded, and nothing outlives the connection',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a>> DISCONNECT
  app>> t missed qos=1
  b = tcp
  b>> CONNECT clientId=a clean=true
  b<< CONNACK code=0 sessionPresent=false
  app>> t x qos=1
  b<< nothing
  b>> SUBSCRIBE id=1 filter=t qos=1
  b<< SUBACK id=1 codes=1
  b hangs up
  clients 0
  c = tcp
  c>> CONNECT clientId=a clean=false
  c<< CONNACK code=0 sessionPresent=false
  app>> t y qos=1
  c<< nothing`,
)

dialogue(
  '[MQTT-3.1.2-7] retained messages are not part of a session and outlive it',
  `
  a = tcp
  a>> CONNECT clientId=a clean=true
  a<< CONNACK code=0 sessionPresent=false
  a>> PUBLISH topic=t retain "kept"
  a>> DISCONNECT
  clients 0
  b = tcp
  b>> CONNECT clientId=b
  b<< CONNACK code=0 sessionPresent=false
  b>> SUBSCRIBE id=1 filter=t
  b<< SUBACK id=1 codes=0
  b<< PUBLISH topic=t retain "kept"`,
)

test('[MQTT-3.1.2-18] without the user name flag there is no user name in the payload', () =>
  eachCloses({ 'a user name': '1010 0004 4d515454 04 02 0000 0001 61 0001 75' }))

test('[MQTT-3.1.2-19] with the user name flag the user name must be there', () =>
  eachCloses({ 'no user name': '100d 0004 4d515454 04 82 0000 0001 61' }))

test('[MQTT-3.1.2-20] without the password flag there is no password in the payload', () =>
  eachCloses({ 'a password': '1013 0004 4d515454 04 82 0000 0001 61 0001 75 0001 70' }))

test('[MQTT-3.1.2-21] with the password flag the password must be there', () =>
  eachCloses({ 'no password': '1010 0004 4d515454 04 c2 0000 0001 61 0001 75' }))

test('[MQTT-3.1.2-22] a password without a user name closes the connection', () =>
  eachCloses({ password: '1010 0004 4d515454 04 42 0000 0001 61 0001 70' }))

test('[MQTT-3.1.3-1] the payload is read in its order: client identifier, will topic, will message, user name, password', async () => {
  const seen: unknown[] = []
  const access = {
    authenticate: ({
      request,
    }: {
      request: { clientId: string; username?: string; password?: Uint8Array; will?: { message: object } }
    }) => {
      const { clientId, username, password, will } = request
      const { topic, payload } = (will?.message ?? {}) as { topic?: string; payload?: Uint8Array }
      seen.push([clientId, topic, Buffer.from(payload ?? []).toString(), username, Buffer.from(password ?? []).toString()])
      return { ok: true } as const
    },
  }
  const { open } = await fixture({}, {}, { access })
  open().connect('id', { will: { topic: 'wt', payload: Buffer.from('wm') }, username: 'un', password: Buffer.from('pw') })
  assert.deepEqual(seen, [['id', 'wt', 'wm', 'un', 'pw']])
})

dialogue(
  '[MQTT-3.1.3-2] the client identifier names the session',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  b = tcp
  b>> CONNECT clientId=b clean=false
  b<< CONNACK code=0 sessionPresent=false
  clients 2
  a hangs up
  b hangs up
  c = tcp
  c>> CONNECT clientId=b clean=false
  c<< CONNACK code=0 sessionPresent=true
  clients 2`,
)

test('[MQTT-3.1.3-3] a CONNECT without a client identifier closes the connection', () =>
  eachCloses({ 'no payload': '100a 0004 4d515454 04 02 0000' }))

test('[MQTT-3.1.3-4] a client identifier that is no UTF-8 closes the connection', () =>
  eachCloses({ surrogate: '100f 0004 4d515454 04 02 0000 0003 eda080' }))

test('[MQTT-3.1.3-5] client identifiers of 1 to 23 letters and digits are accepted', async () => {
  const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
  const { open } = await fixture()
  for (let length = 1; length <= 23; length++) {
    const peer = open()
    peer.connect(letters.slice((length * 7) % 39, ((length * 7) % 39) + length))
    assert.deepEqual(
      peer.take().map((packet) => packet.cmd === 'connack' && packet.returnCode),
      [0],
    )
  }
})

dialogue(
  '[MQTT-3.1.3-7] an empty client identifier without clean session is refused with 2 and closed',
  `
  a = tcp
  a>> CONNECT clientId= clean=false
  a<< CONNACK code=2 sessionPresent=false
  a closed protocol-error
  clients 0`,
)

dialogue(
  '[MQTT-3.1.3-9] a client identifier that the server does not want is refused with 2 and closed',
  `
  gateway mqtt
  deny connect b bad-client-id
  a = tcp
  a>> CONNECT clientId=b
  a<< CONNACK code=2 sessionPresent=false
  a closed not-authorized`,
)

test('[MQTT-3.1.3-10] a will topic that is no UTF-8, or no topic name, closes the connection', () =>
  eachCloses({
    'no UTF-8': '1014 0004 4d515454 04 06 0000 0001 61 0002 c0af 0001 78',
    'a wildcard': '1013 0004 4d515454 04 06 0000 0001 61 0001 23 0001 78',
  }))

test('[MQTT-3.1.3-11] a user name that is no UTF-8 closes the connection', () =>
  eachCloses({ 'user name': '1011 0004 4d515454 04 82 0000 0001 61 0002 c0af' }))

test('[MQTT-3.1.4-1] a CONNECT that is not as the standard wants it is closed without CONNACK', () =>
  eachCloses({
    'cut behind the flags': '1008 0004 4d515454 04 02',
    'octets behind the payload': '100e 0004 4d515454 04 02 0000 0001 61 00',
    'the reserved flag': '100d 0004 4d515454 04 03 0000 0001 61',
  }))

dialogue(
  '[MQTT-3.1.4-2] a client identifier that connects again displaces the connection before',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true
  a closed taken-over
  a<< nothing
  b open
  clients 1`,
)

dialogue(
  '[MQTT-3.1.4-5] nothing that follows a refused CONNECT is processed',
  `
  gateway mqtt
  deny connect b bad-credentials
  app subscribes t
  a = tcp
  a>> hex 10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 62 30 04 00 01 74 78
  a<< CONNACK code=4 sessionPresent=false
  a closed not-authorized
  app<< nothing`,
)

dialogue(
  '[MQTT-3.2.0-1] CONNACK is the first packet, also where messages wait',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a hangs up
  app>> t x qos=1
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true
  b<< PUBLISH topic=t qos=1 id=* "x"`,
)

const STORED = `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a hangs up`

dialogue(
  '[MQTT-3.2.2-1] session present is 0 when the session is clean',
  `${STORED}
  b = tcp
  b>> CONNECT clientId=a clean=true
  b<< CONNACK code=0 sessionPresent=false`,
)

dialogue(
  '[MQTT-3.2.2-2] session present is 1 when the server has the session',
  `${STORED}
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true`,
)

dialogue(
  '[MQTT-3.2.2-3] session present is 0 when the server does not have the session',
  `${STORED}
  ~ 3h
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=false`,
)

dialogue(
  '[MQTT-3.2.2-4] session present is 0 where the connect is refused',
  `${STORED}
  deny connect a banned
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=5 sessionPresent=false
  clients 1`,
)

dialogue(
  '[MQTT-3.2.2-5] a refused connect is closed behind its CONNACK, whatever the reason',
  `
  gateway mqtt
  deny connect b1 bad-credentials
  deny connect b2 not-authorized
  deny connect b3 quota
  deny connect b4 unavailable
  a = tcp
  a>> CONNECT clientId=b1
  a<< CONNACK code=4 sessionPresent=false
  a closed not-authorized
  a = tcp
  a>> CONNECT clientId=b2
  a<< CONNACK code=5 sessionPresent=false
  a closed not-authorized
  a = tcp
  a>> CONNECT clientId=b3
  a<< CONNACK code=3 sessionPresent=false
  a closed not-authorized
  a = tcp
  a>> CONNECT clientId=b4
  a<< CONNACK code=3 sessionPresent=false
  a closed not-authorized`,
)
