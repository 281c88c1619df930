/** MQTT 3.1.1 sections 3.8 to 3.11 and 4.7: subscriptions, topic names and topic filters. */
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false`

/** A filter that is none closes the connection, in SUBSCRIBE and UNSUBSCRIBE. */
function closesB(filter: string): string {
  return ['SUBSCRIBE', 'UNSUBSCRIBE']
    .map(
      (name) => `
  b = tcp
  b>> CONNECT clientId=b
  b<< CONNACK code=0 sessionPresent=false
  b>> ${name} id=1 filter=${filter}
  b closed protocol-error`,
    )
    .join('')
}

test('[MQTT-3.8.1-1] SUBSCRIBE with other flags than 0010 closes the connection', () =>
  eachCloses({ '0000': '8006 0001 0001 61 00', '1010': '8a06 0001 0001 61 00' }))

test('[MQTT-3.8.3-1] a filter that is no UTF-8 closes the connection', () =>
  eachCloses({ surrogate: '8208 0001 0003 eda080 00' }))

dialogue(
  '[MQTT-3.8.3-2] filters with wildcards are supported',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/+/x filter=u/#
  a<< SUBACK id=1 codes=0,0
  app>> t/1/x 1
  app>> t/1/y 2
  app>> u 3
  app>> u/1/2 4
  a<< PUBLISH topic=t/1/x "1"
  a<< PUBLISH topic=u "3"
  a<< PUBLISH topic=u/1/2 "4"`,
)

test('[MQTT-3.8.3-3] SUBSCRIBE without a filter and its QoS closes the connection', () =>
  eachCloses({ 'no filter': '8202 0001', 'no QoS': '8205 0001 0001 61' }))

test('[MQTT-3.8.3-4] reserved bits of the requested QoS close the connection', () =>
  eachCloses({ 'QoS 3': '8206 0001 0001 61 03', 'bit 2': '8206 0001 0001 61 04', 'bit 7': '8206 0001 0001 61 80' }))

dialogue(
  '[MQTT-3.8.4-1] SUBSCRIBE is answered with SUBACK',
  `${ONLINE}
  a>> SUBSCRIBE id=7 filter=t qos=1
  a<< hex 90 03 00 07 01`,
)

dialogue(
  '[MQTT-3.8.4-2] SUBACK has the identifier of its SUBSCRIBE',
  `${ONLINE}
  a>> SUBSCRIBE id=300 filter=t
  a<< SUBACK id=300 codes=0`,
)

dialogue(
  '[MQTT-3.8.4-3] the same filter again replaces the subscription and sends what is retained again',
  `${ONLINE}
  app>> t kept qos=2 retain
  a>> SUBSCRIBE id=1 filter=t qos=0
  a<< SUBACK id=1 codes=0
  a<< PUBLISH topic=t retain "kept"
  a>> SUBSCRIBE id=2 filter=t qos=1
  a<< SUBACK id=2 codes=1
  a<< PUBLISH topic=t qos=1 id=* retain "kept"
  app>> t x qos=2
  a<< PUBLISH topic=t qos=1 id=* "x"
  a<< nothing
  a>> UNSUBSCRIBE id=3 filter=t
  a<< UNSUBACK id=3
  app>> t y qos=2
  a<< nothing`,
)

dialogue(
  '[MQTT-3.8.4-4] several filters are handled like several SUBSCRIBE packets, answered by one SUBACK',
  `${ONLINE}
  app>> t/1 kept retain
  a>> SUBSCRIBE id=1 filter=t/1 qos=2 filter=t/2 qos=1 filter=t/1 qos=0
  a<< SUBACK id=1 codes=2,1,0
  a<< PUBLISH topic=t/1 retain "kept"
  app>> t/1 x qos=2
  app>> t/2 y qos=2
  a<< PUBLISH topic=t/1 "x"
  a<< PUBLISH topic=t/2 qos=1 id=* "y"`,
)

dialogue(
  '[MQTT-3.8.4-5] SUBACK has a code for each filter, 0x80 for what is refused',
  `${ONLINE}
  deny subscribe secret/#
  a>> SUBSCRIBE id=1 filter=t qos=2 filter=secret/x qos=1 filter=u qos=1
  a<< SUBACK id=1 codes=2,0x80,1
  app>> secret/x y
  a<< nothing`,
)

dialogue(
  '[MQTT-3.8.4-6] the QoS of a delivery is the lower of what was published and what was granted',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/0 qos=0 filter=t/1 qos=1 filter=t/2 qos=2
  a<< SUBACK id=1 codes=0,1,2
  app>> t/0 x qos=2
  app>> t/1 x qos=0
  app>> t/1 x qos=2
  app>> t/2 x qos=1
  app>> t/2 x qos=2
  a<< PUBLISH topic=t/0 "x"
  a<< PUBLISH topic=t/1 "x"
  a<< PUBLISH topic=t/1 qos=1 id=* "x"
  a<< PUBLISH topic=t/2 qos=1 id=* "x"
  a<< PUBLISH topic=t/2 qos=2 id=* "x"`,
)

dialogue(
  '[MQTT-3.9.3-1] the codes of SUBACK stand in the order of the filters',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=a qos=2 filter=b qos=0 filter=c qos=1 filter=$share//d qos=2
  a<< SUBACK id=1 codes=2,0,1,0x80`,
)

dialogue(
  '[MQTT-3.9.3-2] the only code for a refusal is 0x80, whatever the reason',
  `
  gateway mqtt {"session":{"maxSubscriptions":1}}
  deny subscribe secret/#${ONLINE}
  a>> SUBSCRIBE id=1 filter=secret/a filter=$share//a filter=t qos=2 filter=u
  a<< SUBACK id=1 codes=0x80,0x80,2,0x80`,
)

test('[MQTT-3.10.1-1] UNSUBSCRIBE with other flags than 0010 closes the connection', () =>
  eachCloses({ '0000': 'a005 0001 0001 61', '0110': 'a605 0001 0001 61' }))

test('[MQTT-3.10.3-1] a filter of UNSUBSCRIBE that is no UTF-8 closes the connection', () =>
  eachCloses({ overlong: 'a206 0001 0002 c0af' }))

test('[MQTT-3.10.3-2] UNSUBSCRIBE without a filter closes the connection', () => eachCloses({ 'no filter': 'a202 0001' }))

dialogue(
  '[MQTT-3.10.4-1] filters are compared character by character',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/# filter=t/+ filter=T/1
  a<< SUBACK id=1 codes=0,0,0
  a>> UNSUBSCRIBE id=2 filter=t/1 filter=t filter=t/1/# filter=T/#
  a<< UNSUBACK id=2
  app>> t/1 x
  app>> T/1 y
  a<< PUBLISH topic=t/1 "x"
  a<< PUBLISH topic=T/1 "y"
  a>> UNSUBSCRIBE id=3 filter=t/#
  a<< UNSUBACK id=3
  app>> t/1 x
  app>> t/1/2 y
  a<< PUBLISH topic=t/1 "x"
  a<< nothing`,
)

dialogue(
  '[MQTT-3.10.4-2] behind UNSUBACK nothing new is delivered',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  a>> UNSUBSCRIBE id=2 filter=t
  a<< UNSUBACK id=2
  app>> t x qos=1
  a<< nothing`,
)

dialogue(
  '[MQTT-3.10.4-3] deliveries that have begun are completed',
  `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2
  app>> t one qos=1
  app>> t two qos=2
  a<< PUBLISH topic=t qos=1 id=1 "one"
  a<< PUBLISH topic=t qos=2 id=2 "two"
  a>> UNSUBSCRIBE id=2 filter=t
  a<< UNSUBACK id=2
  a>> PUBREC id=2
  a<< PUBREL id=2
  a hangs up
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=true
  a<< PUBLISH topic=t qos=1 id=1 dup "one"
  a<< PUBREL id=2
  a>> PUBACK id=1
  a>> PUBCOMP id=2
  quiet`,
)

dialogue(
  '[MQTT-3.10.4-4] UNSUBSCRIBE is answered with UNSUBACK and its identifier',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t
  a<< SUBACK id=1 codes=0
  a>> UNSUBSCRIBE id=258 filter=t
  a<< hex b0 02 01 02`,
)

dialogue(
  '[MQTT-3.10.4-5] UNSUBACK comes also where there was no such subscription',
  `${ONLINE}
  a>> UNSUBSCRIBE id=1 filter=never
  a<< UNSUBACK id=1`,
)

dialogue(
  '[MQTT-3.10.4-6] several filters are handled like several UNSUBSCRIBE packets, answered by one UNSUBACK',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t filter=u filter=v
  a<< SUBACK id=1 codes=0,0,0
  a>> UNSUBSCRIBE id=2 filter=t filter=v
  a<< UNSUBACK id=2
  app>> t 1
  app>> u 2
  app>> v 3
  a<< PUBLISH topic=u "2"
  a<< nothing`,
)

dialogue(
  '[MQTT-4.7.1-1] a wildcard is in filters only, and # is alone in the last level',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=t/# filter=#
  a<< SUBACK id=1 codes=0,0
  a<< PUBLISH topic=devices/a/status retain *
  a>> UNSUBSCRIBE id=2 filter=#
  a<< UNSUBACK id=2${['t#', 't/#/u', '#/t'].map(closesB).join('')}`,
)

dialogue(
  '[MQTT-4.7.1-3] + is alone in its level, at any level, together with # too',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=+ filter=+/t/# filter=t/+
  a<< SUBACK id=1 codes=0,0,0
  app>> x 1
  app>> /t 2
  app>> t/ 3
  app>> t/1/2 4
  a<< PUBLISH topic=x "1"
  a<< PUBLISH topic=/t "2"
  a<< PUBLISH topic=t/ "3"
  a<< nothing${['t+', 't/+u', '++'].map(closesB).join('')}`,
)

dialogue(
  '[MQTT-4.7.2-1] a wildcard at the beginning does not match topics that begin with $',
  `
  app subscribes none${ONLINE}
  a>> SUBSCRIBE id=1 filter=+/x filter=#
  a<< SUBACK id=1 codes=0,0
  a<< PUBLISH topic=devices/app/status retain *
  a<< PUBLISH topic=devices/a/status retain *
  app>> $a/x 1
  a<< nothing
  a>> SUBSCRIBE id=2 filter=$a/#
  a<< SUBACK id=2 codes=0
  app>> $a/x 2
  a<< PUBLISH topic=$a/x "2"`,
)

dialogue('[MQTT-4.7.3-1] an empty filter closes the connection [MQTT-4.8.0-1]', `${ONLINE}${closesB('""')}`)

test('[MQTT-4.7.3-1] an empty topic name closes the connection', () => eachCloses({ empty: '3003 0000 78' }))

test('[MQTT-4.7.3-2] U+0000 in a topic name or filter closes the connection', () =>
  eachCloses({ name: '3004 0002 6100', filter: '8207 0001 0002 6100 00' }))

dialogue(
  '[MQTT-4.7.3-3] a topic name may have 65535 octets',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=${'l'.repeat(65_535)}
  a<< SUBACK id=1 codes=0
  a>> PUBLISH topic=${'l'.repeat(65_535)} "x"
  a<< PUBLISH topic=${'l'.repeat(65_535)} "x"`,
)

dialogue(
  '[MQTT-4.7.3-4] topics are compared as they stand: no case folding, no Unicode normalization',
  `${ONLINE}
  a>> SUBSCRIBE id=1 filter=caf\u00e9
  a<< SUBACK id=1 codes=0
  app>> cafe\u0301 decomposed
  app>> CAF\u00c9 capital
  app>> caf\u00e9 same
  a<< PUBLISH topic=caf\u00e9 "same"`,
)
