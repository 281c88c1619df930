/** MQTT 3.1.1 sections 1.5 and 2: text, fixed headers, packet identifiers. */
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'

test('[MQTT-1.5.3-1] text that is no UTF-8 closes the connection, wherever it stands', () =>
  eachCloses({
    'client identifier, surrogate': '100f 0004 4d515454 04 02 0000 0003 eda080',
    'client identifier, overlong': '100e 0004 4d515454 04 02 0000 0002 c0af',
    'client identifier, cut short': '100e 0004 4d515454 04 02 0000 0002 e282',
    'will topic': '1014 0004 4d515454 04 06 0000 0001 61 0002 c0af 0001 78',
    'user name': '1011 0004 4d515454 04 82 0000 0001 61 0002 c0af',
    'topic name, surrogate': '3005 0003 eda080',
    'topic name, above U+10FFFF': '3006 0004 f4908080',
    'filter of SUBSCRIBE': '8207 0001 0002 c0af 00',
    'filter of UNSUBSCRIBE': 'a206 0001 0002 c0af',
  }))

test('[MQTT-1.5.3-2] U+0000 closes the connection', () =>
  eachCloses({
    'client identifier': '100e 0004 4d515454 04 02 0000 0002 6100',
    'topic name': '3004 0002 6100',
    filter: '8207 0001 0002 6100 00',
  }))

dialogue(
  '[MQTT-1.5.3-3] U+FEFF is a character like others and is not stripped',
  `
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> hex 82 09 00 01 00 04 ef bb bf 74 00
  a<< SUBACK id=1 codes=0
  b = tcp
  b>> CONNECT clientId=b
  b<< CONNACK code=0 sessionPresent=false
  b>> PUBLISH topic=t "without"
  a<< nothing
  b>> hex 30 07 00 04 ef bb bf 74 78
  a<< hex 30 07 00 04 ef bb bf 74 78`,
)

dialogue(
  '[MQTT-2.2.2-1] the reserved flags of what the server sends are as the standard lists them',
  `
  a = tcp
  a>> CONNECT clientId=a
  a<< hex 20 02 00 00
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< hex 90 03 00 01 02
  app>> t x qos=2
  a<< hex 34 06 00 01 74 00 01 78
  a>> PUBREC id=1
  a<< hex 62 02 00 01
  a>> PUBCOMP id=1
  a>> PUBLISH topic=u qos=1 id=2 "x"
  a<< hex 40 02 00 02
  a>> PUBLISH topic=u qos=2 id=3 "x"
  a<< hex 50 02 00 03
  a>> PUBREL id=3
  a<< hex 70 02 00 03
  a>> UNSUBSCRIBE id=4 filter=t
  a<< hex b0 02 00 04
  a>> PINGREQ
  a<< hex d0 00`,
)

test('[MQTT-2.2.2-2] invalid reserved flags close the connection', () =>
  eachCloses({
    CONNECT: '110d 0004 4d515454 04 02 0000 0001 61',
    PUBACK: '4102 0001',
    PUBREC: '5202 0001',
    PUBREL: '6002 0001',
    PUBCOMP: '7402 0001',
    SUBSCRIBE: '8006 0001 0001 61 00',
    UNSUBSCRIBE: 'a005 0001 0001 61',
    PINGREQ: 'c100',
    DISCONNECT: 'e800',
  }))

test('[MQTT-2.3.1-1] a packet identifier of 0 closes the connection', () =>
  eachCloses({
    'PUBLISH with QoS 1': '3206 0001 61 0000 78',
    'PUBLISH with QoS 2': '3406 0001 61 0000 78',
    SUBSCRIBE: '8206 0000 0001 61 00',
    UNSUBSCRIBE: 'a205 0000 0001 61',
    PUBACK: '4002 0000',
    PUBREL: '6202 0000',
  }))

test('packets whose lengths do not add up close the connection', () =>
  eachCloses({
    'CONNECT with octets behind its payload': '100e 0004 4d515454 04 02 0000 0001 61 00',
    'PUBACK of one octet': '4001 00',
    'PUBACK with a reason, which is of 5.0': '4003 0001 00',
    'SUBSCRIBE, a filter longer than the packet': '8206 0001 0009 61 00',
    'UNSUBSCRIBE, a filter longer than the packet': 'a205 0001 0009 61',
    'PINGREQ with a body': 'c001 00',
    'DISCONNECT with a body': 'e001 00',
  }))

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2`

dialogue(
  '[MQTT-2.3.1-3] a packet that is sent again keeps its identifier until it is acknowledged',
  `${ONLINE}
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=$id "x"
  a hangs up
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true
  b<< PUBLISH topic=t qos=1 id=$id dup "x"`,
)

dialogue(
  '[MQTT-2.3.1-4] the server gives each message an identifier that is not in use',
  `${ONLINE}
  app>> t x qos=1
  app>> t x qos=2
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=1 "x"
  a<< PUBLISH topic=t qos=2 id=2 "x"
  a<< PUBLISH topic=t qos=1 id=3 "x"
  a>> PUBACK id=1
  a>> PUBREC id=2
  a<< PUBREL id=2
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=4 "x"`,
)

dialogue(
  '[MQTT-2.3.1-5] a QoS 0 PUBLISH has no packet identifier',
  `${ONLINE}
  app>> t x
  a<< hex 30 04 00 01 74 78`,
)

dialogue(
  '[MQTT-2.3.1-6] PUBACK, PUBREC, PUBREL and PUBCOMP carry the identifier of their PUBLISH',
  `${ONLINE}
  a>> PUBLISH topic=u qos=1 id=65535 "x"
  a<< PUBACK id=65535
  a>> PUBLISH topic=u qos=2 id=258 "x"
  a<< PUBREC id=258
  a>> PUBREL id=258
  a<< PUBCOMP id=258
  app>> t x qos=2
  a<< PUBLISH topic=t qos=2 id=$id "x"
  a>> PUBREC id=$id
  a<< PUBREL id=$id`,
)

dialogue(
  '[MQTT-2.3.1-7] SUBACK and UNSUBACK carry the identifier of their request',
  `${ONLINE}
  a>> SUBSCRIBE id=4660 filter=v
  a<< SUBACK id=4660 codes=0
  a>> UNSUBSCRIBE id=65535 filter=v
  a<< UNSUBACK id=65535`,
)
