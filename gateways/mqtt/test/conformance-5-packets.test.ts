/** MQTT 5.0 sections 1.5, 2 and 4.13: text, flags, identifiers, properties, and what is said about errors. */
import { test } from 'node:test'
import { eachConnectIsRefused, eachIsRefused } from './closing.ts'
import { dialogue } from './dialogue.ts'

const MALFORMED = 0x81
const PROTOCOL_ERROR = 0x82

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 sessionPresent=false ...`

test('5.0 [MQTT-1.5.4-1] text that is no UTF-8 is a malformed packet', () =>
  eachIsRefused(MALFORMED, {
    'filter, surrogate': '8209 0001 00 0003 eda080 00',
    'content type, overlong': '3009 0001 74 05 03 0002 c0af',
    'filter of UNSUBSCRIBE': 'a207 0001 00 0002 c0af',
  }))

test('5.0 [MQTT-1.5.4-2] U+0000 is a malformed packet', () =>
  eachIsRefused(MALFORMED, { filter: '8208 0001 00 0002 6100 00', 'user property': '300c 0001 74 08 26 0001 00 0002 6162' }))

dialogue(
  '5.0 [MQTT-1.5.4-3] U+FEFF is kept',
  `${ONLINE}
  a>> hex 82 0a 00 01 00 00 04 ef bb bf 74 00
  a<< SUBACK id=1 codes=0
  a>> hex 30 08 00 04 ef bb bf 74 00 78
  a<< hex 30 08 00 04 ef bb bf 74 00 78`,
)

test('5.0 [MQTT-1.5.5-1] a variable byte integer that is not minimal is a malformed packet', () =>
  eachIsRefused(MALFORMED, {
    'remaining length': '308500 0001 74 00 78',
    'property length': '3005 0001 74 8000',
    'subscription identifier': '8209 0001 03 0b 8100 0001 61 00',
  }))

test('5.0 [MQTT-1.5.7-1] both strings of a pair are text', () =>
  eachIsRefused(MALFORMED, {
    name: '300c 0001 74 08 26 0002 c0af 0001 76',
    value: '300c 0001 74 08 26 0001 6b 0002 c0af',
  }))

test('5.0 [MQTT-2.1.3-1] reserved flags that are not as listed are a malformed packet', () =>
  eachIsRefused(MALFORMED, {
    PUBACK: '4102 0001',
    PUBREL: '6002 0001',
    SUBSCRIBE: '8007 0001 00 0001 61 00',
    UNSUBSCRIBE: 'a006 0001 00 0001 61',
    PINGREQ: 'c100',
    DISCONNECT: 'e100',
    AUTH: 'f100',
  }))

dialogue(
  '5.0 [MQTT-2.2.1-2] a QoS 0 PUBLISH has no packet identifier, and [MQTT-2.2.2-1] no properties are a length of 0',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t
  a<< hex 90 04 00 01 00 00
  app>> t x
  a<< hex 30 05 00 01 74 00 78`,
)

test('5.0 [MQTT-2.2.1-3] a packet identifier of 0 is refused', () =>
  eachIsRefused(PROTOCOL_ERROR, {
    PUBLISH: '3207 0001 74 0000 00 78',
    SUBSCRIBE: '8207 0000 00 0001 61 00',
    UNSUBSCRIBE: 'a206 0000 00 0001 61',
  }))

dialogue(
  '5.0 [MQTT-2.2.1-4] the server gives each message an identifier that is not in use',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2
  app>> t x qos=1
  app>> t x qos=2
  a<< PUBLISH topic=t qos=1 id=1 "x"
  a<< PUBLISH topic=t qos=2 id=2 "x"
  a>> PUBACK id=1
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=3 "x"`,
)

dialogue(
  '5.0 [MQTT-2.2.1-5] PUBACK, PUBREC, PUBREL and PUBCOMP carry the identifier of their PUBLISH',
  `${ONLINE}
  app subscribes u
  a>> PUBLISH topic=u qos=1 id=65535 "x"
  a<< PUBACK id=65535
  a>> PUBLISH topic=u qos=2 id=258 "y"
  a<< PUBREC id=258
  a>> PUBREL id=258
  a<< PUBCOMP id=258
  app<< u x
  app<< u y`,
)

dialogue(
  '5.0 [MQTT-2.2.1-6] SUBACK and UNSUBACK carry the identifier of their request',
  `${ONLINE}
  a>> SUBSCRIBE id=4660 filter=v
  a<< SUBACK id=4660 codes=0
  a>> UNSUBSCRIBE id=65535 filter=v
  a<< UNSUBACK id=65535 codes=0`,
)

test('5.0 properties that stand there twice, or with a value that they may not have, are a protocol error (section 2.2.2.2)', () =>
  eachIsRefused(PROTOCOL_ERROR, {
    'SUBSCRIBE with two subscription identifiers': '820b 0001 04 0b01 0b02 0001 61 00',
    'SUBSCRIBE with subscription identifier 0': '8209 0001 02 0b00 0001 61 00',
    'DISCONNECT with two session expiries': 'e00c 00 0a 11 00000001 11 00000001',
    'PUBLISH with payload format 2': '3006 0001 74 02 01 02',
    'PUBLISH with a property that only servers send': '3006 0001 74 02 0b 01',
  }))

test('5.0 a property that is unknown, or not one of its packet, makes it a malformed packet (section 2.2.2.2)', async () => {
  await eachIsRefused(MALFORMED, {
    'PUBLISH with an unknown one': '3006 0001 74 02 7e 00',
    'SUBSCRIBE with an unknown one': '8209 0001 02 7e00 0001 61 00',
    'PUBLISH with a property of CONNECT': '3007 0001 74 03 21 0001',
    'UNSUBSCRIBE with a subscription identifier': 'a208 0001 02 0b01 0001 61',
  })
  await eachConnectIsRefused(MALFORMED, {
    'CONNECT with a property of PUBLISH': '1010 0004 4d515454 05 02 0000 02 01 01 0001 61',
  })
})

test('5.0 [MQTT-4.13.1-1] what violates the protocol closes the connection, with its reason code first', async () => {
  await eachIsRefused(PROTOCOL_ERROR, {
    'a second CONNECT': '100e 0004 4d515454 05 02 0000 00 0001 61',
    'a packet of the server': 'd000',
    'AUTH without a method in CONNECT': 'f007 19 05 15 0002 6162',
  })
  await eachIsRefused(MALFORMED, { 'packet type 0': '0000', 'a remaining length of five octets': '30 8080808001' })
})

dialogue(
  '5.0 [MQTT-4.13.2-1] behind DISCONNECT 0x80 or above the connection is closed',
  `${ONLINE}
  a>> hex 00 00
  a<< DISCONNECT reason=0x81 reasonString=*
  a closed protocol-error
  a<< nothing`,
)
