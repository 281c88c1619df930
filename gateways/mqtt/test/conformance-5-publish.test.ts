/** MQTT 5.0 sections 3.3 to 3.7 and 4.3 to 4.6: PUBLISH with its properties, and its acknowledgements. */
import { test } from 'node:test'
import { eachIsRefused } from './closing.ts'
import { dialogue } from './dialogue.ts'

const MALFORMED = 0x81
const PROTOCOL_ERROR = 0x82
const TOPIC_NAME_INVALID = 0x90
const TOPIC_ALIAS_INVALID = 0x94

/** A publisher `p` and a subscriber `s` of `t/#` with QoS 2. */
const TWO = `
  p = tcp
  p>> CONNECT clientId=p version=5.0
  p<< CONNACK code=0 ...
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false sessionExpiryInterval=3600
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=t/# qos=2
  s<< SUBACK id=1 codes=2`

dialogue(
  '5.0 [MQTT-3.3.1-1] what is delivered again has DUP 1, and [MQTT-4.4.0-1] only a new connection makes it so',
  `${TWO}
  app>> t x qos=1
  s<< PUBLISH topic=t qos=1 id=$id "x"
  ~ 50m s<< nothing
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=t qos=1 id=$id dup "x"`,
)

test('5.0 [MQTT-3.3.1-2] a QoS 0 message with DUP 1 is a malformed packet', () =>
  eachIsRefused(MALFORMED, { DUP: '3805 0001 74 00 78' }))

dialogue(
  '5.0 [MQTT-3.3.1-3] DUP of the publisher is not passed on',
  `${TWO}
  p>> PUBLISH topic=t qos=1 id=5 dup "x"
  p<< PUBACK id=5
  s<< PUBLISH topic=t qos=1 id=* "x"`,
)

test('5.0 [MQTT-3.3.1-4] QoS 3 is a malformed packet', () => eachIsRefused(MALFORMED, { 'QoS 3': '3607 0001 74 0001 00 78' }))

dialogue(
  '5.0 [MQTT-3.3.1-5] retained messages replace each other, [MQTT-3.3.1-6] an empty one removes, [MQTT-3.3.1-7] and is not stored',
  `${TWO}
  p>> PUBLISH topic=t/a retain "1"
  p>> PUBLISH topic=t/a retain "2"
  s<< PUBLISH topic=t/a "1"
  s<< PUBLISH topic=t/a "2"
  app subscribes t/a
  app<< t/a "2" retain
  p>> PUBLISH topic=t/a retain ""
  s<< PUBLISH topic=t/a ""
  app<< t/a ""
  app2 subscribes t/a
  app2<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.3.1-8] without RETAIN nothing is stored, removed or replaced',
  `
  app>> t a retain
  app>> t b
  app>> t ""
  app subscribes t
  app<< t a retain`,
)

test('5.0 [MQTT-3.3.2-1] a topic name that is no UTF-8 is malformed, one with a wildcard [MQTT-3.3.2-2] is invalid', async () => {
  await eachIsRefused(MALFORMED, { overlong: '3006 0002 c0af 00 78', NUL: '3006 0002 7400 00 78' })
  await eachIsRefused(TOPIC_NAME_INVALID, { wildcard: '3006 0002 742b 00 78' })
})

test('5.0 a PUBLISH without a topic name and without an alias is a protocol error (section 3.3.2.1)', () =>
  eachIsRefused(PROTOCOL_ERROR, { 'no properties': '3004 0000 00 78', properties: '3006 0000 02 01 01 78' }))

dialogue(
  '5.0 [MQTT-3.3.2-3] the topic name of a delivery is that of the message, and matches the filter',
  `${TWO}
  p>> PUBLISH topic=t/a/b topicAlias=1 "x"
  p>> PUBLISH topic=u "y"
  s<< PUBLISH topic=t/a/b "x"`,
)

dialogue(
  '5.0 [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20] what describes the payload is forwarded unchanged',
  `${TWO}
  p>> PUBLISH topic=t payloadFormatIndicator=true contentType=text/plain responseTopic=answers/1 correlationData=hex:00ff "x"
  s<< PUBLISH topic=t payloadFormatIndicator=true contentType=text/plain responseTopic=answers/1 correlationData=hex:00ff "x"
  p>> PUBLISH topic=t payloadFormatIndicator=false "x"
  s<< PUBLISH topic=t payloadFormatIndicator=false "x"`,
)

dialogue(
  '5.0 [MQTT-3.3.2-17] user properties are forwarded, [MQTT-3.3.2-18] in their order',
  `${TWO}
  p>> hex 30 1b 00 01 74 16 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 02 33 33 78
  s<< hex 30 1b 00 01 74 16 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 02 33 33 78
  p>> hex 32 1d 00 01 74 00 01 16 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 02 33 33 78
  p<< PUBACK id=1
  s<< hex 32 1d 00 01 74 00 01 16 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 02 33 33 78`,
)

dialogue(
  '5.0 [MQTT-3.3.2-5] what has expired is not delivered, [MQTT-3.3.2-6] what has not says how long it is still good',
  `${TWO}
  s hangs up
  p>> PUBLISH topic=t qos=1 id=1 messageExpiryInterval=10 "short"
  p<< PUBACK id=1
  p>> PUBLISH topic=t qos=1 id=2 messageExpiryInterval=100 "long"
  p<< PUBACK id=2
  p>> PUBLISH topic=t/r retain messageExpiryInterval=100 "kept"
  p>> PUBLISH topic=t/s retain messageExpiryInterval=10 "gone"
  ~ 30s
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=t qos=1 id=* messageExpiryInterval=70 "long"
  s>> SUBSCRIBE id=2 filter=t/+
  s<< SUBACK id=2 codes=0
  s<< PUBLISH topic=t/r retain messageExpiryInterval=70 "kept"`,
)

dialogue(
  '5.0 [MQTT-3.3.2-7] a topic alias means something on its own connection only',
  `${TWO}
  p>> PUBLISH topic=t/long topicAlias=1 "x"
  p>> PUBLISH topic="" topicAlias=1 "y"
  s<< PUBLISH topic=t/long "x"
  s<< PUBLISH topic=t/long "y"
  p>> PUBLISH topic=t/other topicAlias=1 "z"
  s<< PUBLISH topic=t/other "z"
  q = tcp
  q>> CONNECT clientId=q version=5.0
  q<< CONNACK code=0 ...
  q>> PUBLISH topic="" topicAlias=1 "y"
  q<< DISCONNECT reason=0x82 reasonString=topic-alias-unknown
  q closed protocol-error`,
)

test('5.0 [MQTT-3.3.2-8] topic alias 0, or one above the maximum, is invalid', () =>
  eachIsRefused(TOPIC_ALIAS_INVALID, { '0': '3008 0001 74 03 23 0000 78', '33 of 32': '3008 0001 74 03 23 0021 78' }))

test('5.0 [MQTT-3.3.2-13] [MQTT-3.3.2-19] response topic and content type are text', () =>
  eachIsRefused(MALFORMED, { response: '3009 0001 74 05 08 0002 c0af', content: '3009 0001 74 05 03 0002 c0af' }))

test('5.0 [MQTT-3.3.2-14] a wildcard in a response topic is a protocol error', () =>
  eachIsRefused(PROTOCOL_ERROR, { '#': '3008 0001 74 04 08 0001 23' }))

dialogue(
  '5.0 [MQTT-3.3.4-1] QoS 0 is not answered, QoS 1 with PUBACK, QoS 2 with PUBREC; 0x10 says that nobody listens',
  `${TWO}
  p>> PUBLISH topic=u "x"
  p<< nothing
  p>> PUBLISH topic=u qos=1 id=1 "x"
  p<< PUBACK id=1 reason=0x10
  p>> PUBLISH topic=u qos=2 id=2 "x"
  p<< PUBREC id=2 reason=0x10
  p>> PUBREL id=2
  p<< PUBCOMP id=2
  p>> PUBLISH topic=t qos=1 id=3 "x"
  p<< PUBACK id=3
  s<< PUBLISH topic=t qos=1 id=* "x"`,
)

test('5.0 [MQTT-3.3.4-6] a subscription identifier in a PUBLISH of a client is a protocol error', () =>
  eachIsRefused(PROTOCOL_ERROR, { PUBLISH: '3006 0001 74 02 0b 01' }))

dialogue(
  '5.0 [MQTT-3.3.4-7] more open QoS 2 messages than the receive maximum: DISCONNECT 0x93',
  `
  gateway mqtt {"receiveMaximum":2}
  p = tcp
  p>> CONNECT clientId=p version=5.0
  p<< CONNACK code=0 sessionPresent=false receiveMaximum=2 ...
  p>> PUBLISH topic=t qos=2 id=1 "x"
  p<< PUBREC id=1 ...
  p>> PUBLISH topic=t qos=2 id=2 "x"
  p<< PUBREC id=2 ...
  p>> PUBREL id=1
  p<< PUBCOMP id=1
  p>> PUBLISH topic=t qos=2 id=1 "x"
  p<< PUBREC id=1 ...
  p>> PUBLISH topic=t qos=2 id=3 "x"
  p<< DISCONNECT reason=0x93 ...`,
)

dialogue(
  "5.0 [MQTT-3.3.4-9] no more than the client's receive maximum is under way to it; [MQTT-3.3.4-8] other packets do not wait",
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 receiveMaximum=2
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=t qos=2
  s<< SUBACK id=1 codes=2
  app>> t 1 qos=1
  app>> t 2 qos=2
  app>> t 3 qos=1
  s<< PUBLISH topic=t qos=1 id=$one "1"
  s<< PUBLISH topic=t qos=2 id=$two "2"
  s>> PINGREQ
  s<< PINGRESP
  s>> PUBREC id=$two
  s<< PUBREL id=$two
  s<< nothing
  s>> PUBCOMP id=$two
  s<< PUBLISH topic=t qos=1 id=* "3"`,
)

dialogue(
  '5.0 [MQTT-3.3.4-9] what is sent again keeps to the receive maximum of the new connection',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false sessionExpiryInterval=60
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=t qos=2
  s<< SUBACK id=1 codes=2
  app>> t 1 qos=1
  app>> t 2 qos=2
  app>> t 3 qos=1
  app>> t 4 qos=1
  s<< PUBLISH topic=t qos=1 id=$one "1"
  s<< PUBLISH topic=t qos=2 id=$two "2"
  s<< PUBLISH topic=t qos=1 id=$three "3"
  s<< PUBLISH topic=t qos=1 id=$four "4"
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false sessionExpiryInterval=60 receiveMaximum=1
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=t qos=1 id=$one dup "1"
  app>> t 5 qos=1
  s<< nothing
  s>> PUBACK id=$three
  s<< nothing
  s>> PUBACK id=$one
  s<< PUBLISH topic=t qos=2 id=$two dup "2"
  s>> PUBREC id=$two
  s<< PUBREL id=$two
  s<< nothing
  s>> PUBCOMP id=$two
  s<< PUBLISH topic=t qos=1 id=$four dup "4"
  s>> PUBACK id=$four
  s<< PUBLISH topic=t qos=1 id=* "5"`,
)

dialogue(
  '5.0 [MQTT-4.9.0-2] the send quota is the receive maximum; PUBREC 0x80 or above ends a delivery and gives its place back',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 receiveMaximum=1 clean=false sessionExpiryInterval=60
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=t qos=2
  s<< SUBACK id=1 codes=2
  app>> t 1 qos=2
  app>> t 2 qos=2
  s<< PUBLISH topic=t qos=2 id=$one "1"
  s>> PUBREC id=$one reason=0x97
  s<< PUBLISH topic=t qos=2 id=$two "2"
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=t qos=2 id=$two dup "2"`,
)

dialogue(
  '5.0 [MQTT-4.4.0-2] PUBACK with an error counts as an acknowledgement',
  `${TWO}
  app>> t x qos=1
  s<< PUBLISH topic=t qos=1 id=$id "x"
  s>> PUBACK id=$id reason=0x83
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< nothing`,
)

dialogue(
  '5.0 [MQTT-4.3.3-8] PUBREC in, [MQTT-4.3.3-10] no second delivery until PUBREL, [MQTT-4.3.3-11] PUBCOMP always, [MQTT-4.3.3-12] then a new message',
  `${TWO}
  p>> PUBLISH topic=t qos=2 id=9 "x"
  p<< PUBREC id=9
  p>> PUBLISH topic=t qos=2 id=9 dup "x"
  p<< PUBREC id=9
  s<< PUBLISH topic=t qos=2 id=* "x"
  s<< nothing
  p>> PUBREL id=9
  p<< PUBCOMP id=9
  p>> PUBREL id=9
  p<< PUBCOMP id=9 reason=0x92
  p>> PUBLISH topic=t qos=2 id=9 "y"
  p<< PUBREC id=9
  s<< PUBLISH topic=t qos=2 id=* "y"`,
)

dialogue(
  '5.0 [MQTT-4.3.3-4] PUBREL answers PUBREC, [MQTT-4.3.3-5] again until PUBCOMP, [MQTT-4.3.3-6] and the message never; a PUBREC nobody waits for gets 0x92',
  `${TWO}
  app>> t x qos=2
  s<< PUBLISH topic=t qos=2 id=$id "x"
  s>> PUBREC id=$id
  s<< PUBREL id=$id
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBREL id=$id
  s>> PUBCOMP id=$id
  s>> PUBREC id=77
  s<< PUBREL id=77 reason=0x92`,
)

dialogue(
  '5.0 [MQTT-4.3.3-7] a message that was sent does not expire any more',
  `${TWO}
  p>> PUBLISH topic=t qos=1 id=1 messageExpiryInterval=5 "x"
  p<< PUBACK id=1
  s<< PUBLISH topic=t qos=1 id=$id messageExpiryInterval=5 "x"
  s hangs up
  ~ 10s
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=t qos=1 id=$id dup messageExpiryInterval=* "x"`,
)

dialogue(
  '5.0 [MQTT-4.6.0-6] messages of one topic and QoS arrive in the order in which they were published',
  `
  gateway mqtt {"session":{"maxInflight":1}}${TWO}
  app>> t 1 qos=1
  app>> t 2 qos=1
  app>> t 3 qos=1
  s<< PUBLISH topic=t qos=1 id=$one "1"
  s>> PUBACK id=$one
  s<< PUBLISH topic=t qos=1 id=$two "2"
  s>> PUBACK id=$two
  s<< PUBLISH topic=t qos=1 id=* "3"`,
)
