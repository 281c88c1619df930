/** MQTT 5.0 sections 3.1, 3.2, 3.14 and 3.15: CONNECT, CONNACK, DISCONNECT, AUTH. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IConnackPacket } from 'mqtt-packet'
import { eachConnectIsRefused } from './closing.ts'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

const MALFORMED = 0x81
const PROTOCOL_ERROR = 0x82

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=3600
  a<< CONNACK code=0 sessionPresent=false ...`

test('5.0 [MQTT-3.1.2-3] the reserved flag closes the connection', () =>
  eachConnectIsRefused(MALFORMED, { reserved: '100e 0004 4d515454 05 03 0000 00 0001 61' }))

dialogue(
  '5.0 [MQTT-3.1.2-4] clean start discards the session that was there',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a hangs up
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=true
  a<< CONNACK code=0 sessionPresent=false ...
  app>> t x qos=1
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.1.2-5] without clean start a session that is there is resumed, also one of 3.1.1',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a hangs up
  app>> t x qos=1
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false
  a<< CONNACK code=0 sessionPresent=true ...
  a<< PUBLISH topic=t qos=1 id=* "x"`,
)

dialogue(
  '5.0 [MQTT-3.1.2-6] without clean start and without a session a new one is made',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=false ...`,
)

test('5.0 [MQTT-3.1.2-11] will bits without a will close the connection', () =>
  eachConnectIsRefused(MALFORMED, {
    QoS: '100e 0004 4d515454 05 0a 0000 00 0001 61',
    retain: '100e 0004 4d515454 05 22 0000 00 0001 61',
  }))

test('5.0 [MQTT-3.1.2-12] will QoS 3 closes the connection', () =>
  eachConnectIsRefused(MALFORMED, { 'QoS 3': '1015 0004 4d515454 05 1e 0000 00 0001 61 00 0001 77 0001 78' }))

test('5.0 [MQTT-3.1.2-9] the fields that the flags promise must be there', () =>
  eachConnectIsRefused(MALFORMED, {
    'no will': '100e 0004 4d515454 05 06 0000 00 0001 61',
    'no user name': '100e 0004 4d515454 05 82 0000 00 0001 61',
    'no password': '100e 0004 4d515454 05 42 0000 00 0001 61',
    'more than the flags promise': '1011 0004 4d515454 05 02 0000 00 0001 61 0001 70',
  }))

test('5.0 a receive maximum or maximum packet size of 0, and what stands twice, are protocol errors (section 3.1.2.11)', () =>
  eachConnectIsRefused(PROTOCOL_ERROR, {
    'receive maximum 0': '1011 0004 4d515454 05 02 0000 03 21 0000 0001 61',
    'maximum packet size 0': '1013 0004 4d515454 05 02 0000 05 27 00000000 0001 61',
    'session expiry twice': '1018 0004 4d515454 05 02 0000 0a 11 00000001 11 00000001 0001 61',
    'authentication data without a method': '1012 0004 4d515454 05 02 0000 04 16 0001 78 0001 61',
  }))

dialogue(
  '5.0 [MQTT-3.1.2-17] a password needs no user name',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 password=secret
  a<< CONNACK code=0 sessionPresent=false ...`,
)

dialogue(
  '5.0 [MQTT-3.1.2-22] one and a half keep-alives of silence end the connection: DISCONNECT 0x8D',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 keepalive=10
  a<< CONNACK code=0 sessionPresent=false ...
  ~ 15s a<< DISCONNECT reason=0x8d ...
  a closed keepalive-timeout`,
)

dialogue(
  '5.0 [MQTT-3.1.2-23] the session outlives its connection by its expiry interval, and no longer',
  `${ONLINE}
  a hangs up
  ~ 3599s
  clients 1
  ~ 1s
  clients 0
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 sessionPresent=false ...
  a hangs up
  clients 0`,
)

dialogue(
  '5.0 [MQTT-3.1.2-24] nothing larger than the client takes is sent to it, and [MQTT-3.1.2-25] what is dropped counts as sent',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 maximumPacketSize=30 receiveMaximum=1
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  app>> t this-does-not-fit-into-thirty-octets qos=1
  app>> t fits qos=1
  a<< PUBLISH topic=t qos=1 id=* "fits"
  counter delivery-too-large 1
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.14.2-3] the reason in words is left out of a DISCONNECT that would be too large',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 maximumPacketSize=23 keepalive=10
  a<< CONNACK code=0 ...
  b = tcp
  b>> CONNECT clientId=b version=5.0 maximumPacketSize=24 keepalive=10
  b<< CONNACK code=0 ...
  ~ 15s a<< DISCONNECT reason=0x8d
  b<< DISCONNECT reason=0x8d reasonString=keepalive-timeout`,
)

dialogue(
  '5.0 [MQTT-3.2.2-19] the reason in words is left out of a CONNACK that would be too large',
  `
  a = tcp 10.0.0.1:5000
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  b = tcp 10.0.0.1:5001
  b>> CONNECT clientId=a version=5.0 maximumPacketSize=60 keepalive=10
  b<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=*
  c = tcp 10.0.0.1:5002
  c>> CONNECT clientId=a version=5.0 keepalive=10
  b<< DISCONNECT reason=0x8e ...
  c<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* reasonString="took this client id over from mqtt (gateway mqtt, 10.0.0.1:5001)"`,
)

dialogue(
  '5.0 [MQTT-3.1.2-28] no response information is sent to whom has not asked for it',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 requestResponseInformation=false
  a<< CONNACK code=0 sessionPresent=false receiveMaximum=1024 maximumPacketSize=1048576 topicAliasMaximum=32 serverKeepAlive=64800`,
)

dialogue(
  '5.0 [MQTT-3.1.2-29] reasons in words stand only in CONNACK, DISCONNECT and PUBLISH where the client wants no more',
  `
  gateway mqtt
  deny subscribe secret
  deny publish secret
  a = tcp
  a>> CONNECT clientId=a version=5.0 requestProblemInformation=false
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=secret
  a<< SUBACK id=1 codes=0x87
  a>> PUBLISH topic=secret qos=1 id=2 "x"
  a<< PUBACK id=2 reason=0x87
  a>> UNSUBSCRIBE id=3 filter=secret
  a<< UNSUBACK id=3 codes=0x11`,
)

test('5.0 [MQTT-3.2.2-16] assigned client identifiers are new and differ', async () => {
  const { open, world } = await fixture()
  const ids = new Set<string>()
  for (let i = 0; i < 50; i++) {
    const peer = open(5)
    peer.connect('')
    const [connack] = peer.take() as [IConnackPacket]
    ids.add(connack.properties?.assignedClientIdentifier ?? '')
  }
  assert.equal(ids.size, 50)
  for (const id of ids) assert.equal(world.core.client(id)?.connected, true)
})

dialogue(
  '5.0 [MQTT-3.1.3-8] a client identifier that the server does not want is refused with 0x85 and closed',
  `
  gateway mqtt
  deny connect b bad-client-id
  a = tcp
  a>> CONNECT clientId=b version=5.0
  a<< CONNACK code=0x85 sessionPresent=false
  a closed not-authorized`,
)

dialogue(
  '5.0 [MQTT-3.1.4-2] a client that may not connect is told why, and closed',
  `
  gateway mqtt
  deny connect b1 bad-credentials
  deny connect b2 banned
  deny connect b3 unavailable
  a = tcp
  a>> CONNECT clientId=b1 version=5.0
  a<< CONNACK code=0x86 sessionPresent=false
  a closed not-authorized
  a = tcp
  a>> CONNECT clientId=b2 version=5.0
  a<< CONNACK code=0x8a sessionPresent=false
  a closed not-authorized
  a = tcp
  a>> CONNECT clientId=b3 version=5.0
  a<< CONNACK code=0x88 sessionPresent=false
  a closed not-authorized`,
)

dialogue(
  '5.0 [MQTT-3.1.4-3] take-over: DISCONNECT 0x8E to the old connection, then its close',
  `${ONLINE}
  b = tcp
  b>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=3600
  a<< DISCONNECT reason=0x8e ...
  a closed taken-over
  b<< CONNACK code=0 sessionPresent=true ...`,
)

dialogue(
  '5.0 [MQTT-3.1.4-6] nothing that follows a refused CONNECT is processed',
  `
  gateway mqtt
  deny connect b quota
  app subscribes t
  a = tcp
  a>> hex 10 0e 00 04 4d 51 54 54 05 02 00 00 00 00 01 62 30 05 00 01 74 00 78
  a<< hex 20 03 00 97 00
  a closed not-authorized
  app<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.2.2-7] CONNACK 0x80 or above has session present 0, and the connection is closed',
  `${ONLINE}
  a hangs up
  deny connect a not-authorized
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false
  a<< CONNACK code=0x87 sessionPresent=false
  a closed not-authorized`,
)

dialogue(
  '5.0 [MQTT-3.2.2-21] the server names its keep-alive where the client wants none or a longer one, and holds it',
  `
  gateway mqtt {"maxKeepAlive":"60s"}
  a = tcp
  a>> CONNECT clientId=a version=5.0 keepalive=0
  a<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* serverKeepAlive=60
  ~ 90s a<< DISCONNECT reason=0x8d ...
  b = tcp
  b>> CONNECT clientId=b version=5.0 keepalive=30
  b<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=*
  ~ 45s b<< DISCONNECT reason=0x8d ...`,
)

dialogue(
  '5.0 a session expiry above the maximum is answered with the maximum (section 3.2.2.3.2)',
  `
  gateway mqtt {"maxSessionExpiry":"1h"}
  a = tcp
  a>> CONNECT clientId=a version=5.0 sessionExpiryInterval=4294967295 keepalive=5
  a<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* sessionExpiryInterval=3600
  a hangs up
  ~ 3599s
  clients 1
  ~ 1s
  clients 0`,
)

dialogue(
  '5.0 [MQTT-4.12.0-1] an authentication method that the server does not know: CONNACK 0x8C, then the close',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 authenticationMethod=SCRAM-SHA-256
  a<< CONNACK code=0x8c sessionPresent=false
  a closed not-authorized
  clients 0`,
)

dialogue(
  '5.0 [MQTT-3.14.2-2] DISCONNECT may shorten the session expiry, and not lengthen one of 0',
  `${ONLINE}
  a>> DISCONNECT reason=0 sessionExpiryInterval=10
  a closed disconnected
  ~ 9s
  clients 1
  ~ 1s
  clients 0
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> DISCONNECT reason=0 sessionExpiryInterval=10
  b<< DISCONNECT reason=0x82 reasonString=session-expiry-raised
  b closed protocol-error
  clients 0`,
)

dialogue(
  '5.0 [MQTT-3.14.4-3] DISCONNECT 0 discards the will, 0x04 publishes it',
  `
  app subscribes will/#
  a = tcp
  a>> CONNECT clientId=a version=5.0 will=will/a willPayload=x
  a<< CONNACK code=0 ...
  a>> DISCONNECT reason=0
  b = tcp
  b>> CONNECT clientId=b version=5.0 will=will/b willPayload=y
  b<< CONNACK code=0 ...
  b>> DISCONNECT reason=0x04
  app<< will/b y
  app<< nothing`,
)
