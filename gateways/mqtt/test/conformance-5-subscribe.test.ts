/** MQTT 5.0 sections 3.8 to 3.12, 4.7 and 4.8: subscriptions and their options, shared subscriptions. */
import { test } from 'node:test'
import { eachIsRefused } from './closing.ts'
import { dialogue } from './dialogue.ts'

const MALFORMED = 0x81
const PROTOCOL_ERROR = 0x82

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 ...`

dialogue(
  '5.0 [MQTT-3.3.1-9] retain handling 0: retained messages with every SUBSCRIBE',
  `${ONLINE}
  app>> t x retain
  a>> SUBSCRIBE id=1 filter=t rh=0
  a<< SUBACK id=1 codes=0
  a<< PUBLISH topic=t retain "x"
  a>> SUBSCRIBE id=2 filter=t rh=0
  a<< SUBACK id=2 codes=0
  a<< PUBLISH topic=t retain "x"`,
)

dialogue(
  '5.0 [MQTT-3.3.1-10] retain handling 1: retained messages only where the subscription is new',
  `${ONLINE}
  app>> t x retain
  a>> SUBSCRIBE id=1 filter=t rh=1
  a<< SUBACK id=1 codes=0
  a<< PUBLISH topic=t retain "x"
  a>> SUBSCRIBE id=2 filter=t rh=1
  a<< SUBACK id=2 codes=0
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.3.1-11] retain handling 2: no retained messages',
  `${ONLINE}
  app>> t x retain
  a>> SUBSCRIBE id=1 filter=t rh=2
  a<< SUBACK id=1 codes=0
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.3.1-12] retain as published 0 clears RETAIN, [MQTT-3.3.1-13] 1 keeps it as it was published',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=cleared filter=kept rap
  a<< SUBACK id=1 codes=0,0
  app>> cleared x retain
  app>> kept x retain
  app>> kept y
  a<< PUBLISH topic=cleared "x"
  a<< PUBLISH topic=kept retain "x"
  a<< PUBLISH topic=kept "y"`,
)

dialogue(
  '5.0 [MQTT-3.3.4-2] overlapping subscriptions: the highest QoS, [MQTT-3.3.4-3] [MQTT-3.3.4-4] one copy with every subscription identifier',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/# qos=1 subscriptionIdentifier=1
  a<< SUBACK id=1 codes=1
  a>> SUBSCRIBE id=2 filter=t/+ qos=2 subscriptionIdentifier=268435455
  a<< SUBACK id=2 codes=2
  a>> SUBSCRIBE id=3 filter=t/a qos=0
  a<< SUBACK id=3 codes=0
  app>> t/a x qos=2
  a<< PUBLISH topic=t/a qos=2 id=* subscriptionIdentifier=1 subscriptionIdentifier=268435455 "x"
  app>> t/a/b x
  a<< PUBLISH topic=t/a/b subscriptionIdentifier=1 "x"
  a<< nothing`,
)

test('5.0 [MQTT-3.8.1-1] SUBSCRIBE with other flags than 0010 is a malformed packet', () =>
  eachIsRefused(MALFORMED, { '0000': '8007 0001 00 0001 61 00' }))

test('5.0 [MQTT-3.8.3-1] a filter that is no UTF-8 is a malformed packet', () =>
  eachIsRefused(MALFORMED, { surrogate: '8209 0001 00 0003 eda080 00' }))

test('5.0 [MQTT-3.8.3-2] SUBSCRIBE without a filter is a protocol error', () =>
  eachIsRefused(PROTOCOL_ERROR, { 'no filter': '8203 0001 00' }))

dialogue(
  '5.0 [MQTT-3.8.3-3] no local: what a client publishes does not come back to it, what others publish does',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t nl
  a<< SUBACK id=1 codes=0
  a>> PUBLISH topic=t "own"
  a<< nothing
  app>> t other
  a<< PUBLISH topic=t "other"`,
)

test('5.0 [MQTT-3.8.3-4] no local on a shared subscription is a protocol error', () =>
  eachIsRefused(PROTOCOL_ERROR, { shared: '8210 0001 00 000a 2473686172652f672f74 04' }))

test('5.0 [MQTT-3.8.3-5] reserved option bits and QoS 3 are a malformed packet, retain handling 3 is a protocol error', async () => {
  await eachIsRefused(MALFORMED, { bits: '8207 0001 00 0001 61 80', 'QoS 3': '8207 0001 00 0001 61 03' })
  await eachIsRefused(PROTOCOL_ERROR, { 'retain handling 3': '8207 0001 00 0001 61 30' })
})

dialogue(
  '5.0 [MQTT-3.8.4-1] SUBSCRIBE is answered with SUBACK, [MQTT-3.8.4-2] with its identifier',
  `${ONLINE}
  a>> SUBSCRIBE id=258 filter=t qos=2
  a<< hex 90 04 01 02 00 02`,
)

dialogue(
  '5.0 [MQTT-3.8.4-3] the same filter again replaces the subscription, [MQTT-3.8.4-4] retained messages come again, nothing is lost',
  `${ONLINE}
  app>> t kept retain
  a>> SUBSCRIBE id=1 filter=t qos=0 subscriptionIdentifier=1
  a<< SUBACK id=1 codes=0
  a<< PUBLISH topic=t retain subscriptionIdentifier=1 "kept"
  a>> SUBSCRIBE id=2 filter=t qos=1 subscriptionIdentifier=2
  a<< SUBACK id=2 codes=1
  a<< PUBLISH topic=t retain subscriptionIdentifier=2 "kept"
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=* subscriptionIdentifier=2 "x"
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.8.4-5] several filters are handled one by one, [MQTT-3.8.4-6] each has its code, [MQTT-3.9.3-1] in their order',
  `
  gateway mqtt {"session":{"maxSubscriptions":3}}
  deny subscribe secret${ONLINE}
  a>> SUBSCRIBE id=1 filter=t qos=2 filter=secret filter=t qos=1 filter=v filter=w filter=x
  a<< SUBACK id=1 codes=2,0x87,1,0,0,0x97 reasonString="not-authorized, quota"`,
)

dialogue(
  '5.0 [MQTT-3.8.4-8] the QoS of a delivery is the lower of what was published and what was granted',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/1 qos=1 filter=t/2 qos=2
  a<< SUBACK id=1 codes=1,2
  app>> t/1 x qos=2
  app>> t/2 x qos=1
  app>> t/2 x
  a<< PUBLISH topic=t/1 qos=1 id=* "x"
  a<< PUBLISH topic=t/2 qos=1 id=* "x"
  a<< PUBLISH topic=t/2 "x"`,
)

test('5.0 [MQTT-3.10.1-1] UNSUBSCRIBE with other flags than 0010 is a malformed packet', () =>
  eachIsRefused(MALFORMED, { '0000': 'a006 0001 00 0001 61' }))

test('5.0 [MQTT-3.10.3-2] UNSUBSCRIBE without a filter is a protocol error', () =>
  eachIsRefused(PROTOCOL_ERROR, { 'no filter': 'a203 0001 00' }))

dialogue(
  '5.0 [MQTT-3.10.4-1] filters are compared character by character, [MQTT-3.10.4-2] behind UNSUBACK nothing new is delivered',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/#
  a<< SUBACK id=1 codes=0
  a>> UNSUBSCRIBE id=2 filter=t/a filter=T/#
  a<< UNSUBACK id=2 codes=0x11,0x11
  app>> t/a x
  a<< PUBLISH topic=t/a "x"
  a>> UNSUBSCRIBE id=3 filter=t/#
  a<< UNSUBACK id=3 codes=0
  app>> t/a x
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.10.4-3] deliveries that have begun are completed',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2
  app>> t x qos=2
  a<< PUBLISH topic=t qos=2 id=$id "x"
  a>> UNSUBSCRIBE id=2 filter=t
  a<< UNSUBACK id=2 codes=0
  a>> PUBREC id=$id
  a<< PUBREL id=$id
  a>> PUBCOMP id=$id
  counter pubcomp-missed 0`,
)

dialogue(
  '5.0 [MQTT-3.10.4-4] UNSUBSCRIBE is answered with UNSUBACK and its identifier, [MQTT-3.11.3-1] a code for each filter in their order',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t filter=u
  a<< SUBACK id=1 codes=0,0
  a>> UNSUBSCRIBE id=300 filter=never filter=t filter=u
  a<< UNSUBACK id=300 codes=0x11,0,0`,
)

dialogue(
  '5.0 [MQTT-3.12.4-1] PINGREQ is answered with PINGRESP',
  `${ONLINE}
  a>> PINGREQ
  a<< PINGRESP`,
)

dialogue(
  '5.0 [MQTT-4.7.1-1] # is alone in the last level, [MQTT-4.7.1-2] + is alone in its level: 0x8F otherwise',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=+/v filter=t/#
  a<< SUBACK id=1 codes=0,0${['t#', 't/#/u', 't+', '+u/v']
    .map(
      (filter) => `
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> SUBSCRIBE id=1 filter=t filter=${filter}
  b<< DISCONNECT reason=0x8f reasonString=topic-filter
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> UNSUBSCRIBE id=1 filter=${filter}
  b<< DISCONNECT reason=0x8f reasonString=topic-filter`,
    )
    .join('')}`,
)

dialogue(
  '5.0 [MQTT-4.8.2-1] a group has a name, [MQTT-4.8.2-2] without / + #, and a filter behind it',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=$share/g/t
  a<< SUBACK id=1 codes=0${['$share//t', '$share/g', '$share/g+/t', '$share/g#/t', '$share/g/', '$share/g/t#', '$share/g/t/#/u']
    .map(
      (filter) => `
  a>> SUBSCRIBE id=2 filter=${filter} filter=u
  a<< SUBACK id=2 codes=0x8f,0 reasonString=invalid-filter
  a>> UNSUBSCRIBE id=3 filter=${filter}
  a<< UNSUBACK id=3 codes=0x11`,
    )
    .join('')}`,
)

const GROUP = `
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=$share/g/t qos=2
  a<< SUBACK id=1 codes=2`

const MEMBER = `
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> SUBSCRIBE id=1 filter=$share/g/t qos=0
  b<< SUBACK id=1 codes=0`

dialogue(
  '5.0 [MQTT-4.8.2-3] a member gets its messages with the QoS that was granted to it',
  `${GROUP}${MEMBER}
  app>> t 1 qos=1
  app>> t 2 qos=1
  a<< PUBLISH topic=t qos=1 id=* "1"
  b<< PUBLISH topic=t "2"`,
)

dialogue(
  '5.0 [MQTT-4.8.2-4] a QoS 2 delivery that has begun is completed with its member when it comes back',
  `${GROUP}
  app>> t 1 qos=2
  a<< PUBLISH topic=t qos=2 id=$id "1"
  a hangs up${MEMBER}
  b<< nothing
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=true ...
  a<< PUBLISH topic=t qos=2 id=$id dup "1"`,
)

dialogue(
  '5.0 [MQTT-4.8.2-5] if its session ends first, nobody else gets it',
  `${GROUP}
  app>> t 1 qos=2
  a<< PUBLISH topic=t qos=2 id=* "1"
  a hangs up${MEMBER}
  ~ 61s b<< nothing
  clients 1`,
)

dialogue(
  '5.0 [MQTT-4.8.2-6] a member that refuses a message ends its way: nobody else gets it',
  `${GROUP}${MEMBER}
  app>> t 1 qos=1
  a<< PUBLISH topic=t qos=1 id=$id "1"
  a>> PUBACK id=$id reason=0x97
  b<< nothing
  a<< nothing`,
)

dialogue(
  '5.0 a new member of a group gets no retained messages (section 4.8.2)',
  `
  app>> t x retain${GROUP}
  a<< nothing`,
)
