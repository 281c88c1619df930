/** MQTT 5.0 sections 3.1 to 3.3 and 4.1 to 4.9 where 3.1.1 says nearly the same: session, window, order, topics. */
import { test } from 'node:test'
import { eachCloses, eachConnectIsRefused, eachIsRefused } from './closing.ts'
import { dialogue } from './dialogue.ts'

const ONLINE = `
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=3600
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2`

const RESUMED = `
  a hangs up
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=3600
  a<< CONNACK code=0 sessionPresent=true ...`

dialogue(
  '5.0 [MQTT-3.1.2-7] a will is kept with its session, and [MQTT-3.1.2-10] removed once it is published or taken back',
  `
  app subscribes will
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60 will=will willPayload=x
  a<< CONNACK code=0 ...
  a hangs up
  app<< will x
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=true ...
  a hangs up
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60 will=will willPayload=y
  a<< CONNACK code=0 sessionPresent=true ...
  a>> DISCONNECT reason=0
  ~ 1h app<< nothing`,
)

test('5.0 [MQTT-3.1.3-3] the client identifier is there, and first; [MQTT-3.1.3-4] it is text, as are will topic [MQTT-3.1.3-11] and user name [MQTT-3.1.3-12]', () =>
  eachConnectIsRefused(0x81, {
    'no client identifier': '100b 0004 4d515454 05 02 0000 00',
    'client identifier': '100f 0004 4d515454 05 02 0000 00 0002 c0af',
    'will topic': '1016 0004 4d515454 05 06 0000 00 0001 61 00 0002 c0af 0001 78',
    'user name': '1012 0004 4d515454 05 82 0000 00 0001 61 0002 c0af',
  }))

dialogue(
  '5.0 [MQTT-3.1.3-5] client identifiers of 1 to 23 letters and digits are accepted, [MQTT-3.1.3-2] and name the session',
  `
  a = tcp
  a>> CONNECT clientId=0 version=5.0 sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=false ...
  b = tcp
  b>> CONNECT clientId=ABCDEFGHIJKLMNopqrstuvw version=5.0 sessionExpiryInterval=60
  b<< CONNACK code=0 sessionPresent=false ...
  clients 2
  a hangs up
  b hangs up
  c = tcp
  c>> CONNECT clientId=0 version=5.0 clean=false
  c<< CONNACK code=0 sessionPresent=true ...`,
)

dialogue(
  '5.0 [MQTT-3.2.0-1] CONNACK is the first packet, [MQTT-3.2.0-2] and the only one of its kind',
  `${ONLINE}
  a hangs up
  app>> t x qos=1
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false
  a<< CONNACK code=0 sessionPresent=true ...
  a<< PUBLISH topic=t qos=1 id=* "x"
  a>> PINGREQ
  a<< PINGRESP
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.2.2-2] session present is 0 behind a clean start, [MQTT-3.2.2-3] else it says whether there is a session',
  `${ONLINE}${RESUMED}
  a hangs up
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=true sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=false ...
  a hangs up
  ~ 61s
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false
  a<< CONNACK code=0 sessionPresent=false ...`,
)

test('5.0 [MQTT-3.14.0-1] before a successful CONNACK there is no DISCONNECT', async () => {
  await eachConnectIsRefused(0x81, { 'a CONNECT that is malformed': '100f 0004 4d515454 05 02 0000 02 7e00 0001 61' })
  await eachCloses({ 'a CONNECT that has no end': '10 80808080 01' })
})

test('5.0 [MQTT-3.14.1-1] reserved bits of DISCONNECT are a malformed packet', () => eachIsRefused(0x81, { 'bit 0': 'e100' }))

dialogue(
  '5.0 [MQTT-3.3.2-12] every topic alias from 1 to the maximum is accepted',
  `${ONLINE}
  a>> PUBLISH topic=t topicAlias=1 "one"
  a>> PUBLISH topic=t topicAlias=32 "two"
  a>> PUBLISH topic="" topicAlias=32 "three"
  a<< PUBLISH topic=t "one"
  a<< PUBLISH topic=t "two"
  a<< PUBLISH topic=t "three"`,
)

dialogue(
  '5.0 [MQTT-4.1.0-1] session state is kept while the connection is open, [MQTT-4.1.0-2] and discarded when its expiry has passed',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 sessionExpiryInterval=60
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t
  a<< SUBACK id=1 codes=0
  ~ 17h
  app>> t x
  a<< PUBLISH topic=t "x"
  a hangs up
  ~ 60s
  clients 0`,
)

dialogue(
  '5.0 [MQTT-4.3.1-1] QoS 0 is sent once, with DUP 0',
  `${ONLINE}
  app>> t x
  a<< hex 30 05 00 01 74 00 78${RESUMED}
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-4.3.2-1] QoS 1 has a new identifier, [MQTT-4.3.2-2] DUP 0, [MQTT-4.3.2-3] and is unacknowledged until PUBACK',
  `${ONLINE}
  app>> t 1 qos=1
  app>> t 2 qos=1
  a<< PUBLISH topic=t qos=1 id=1 "1"
  a<< PUBLISH topic=t qos=1 id=2 "2"
  a>> PUBACK id=1${RESUMED}
  a<< PUBLISH topic=t qos=1 id=2 dup "2"
  a>> PUBACK id=2${RESUMED}
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-4.3.2-4] QoS 1 is acknowledged with its identifier, [MQTT-4.3.2-5] which is free again then, whatever DUP says',
  `${ONLINE}
  app subscribes u
  a>> PUBLISH topic=u qos=1 id=7 "x"
  a<< PUBACK id=7
  a>> PUBLISH topic=u qos=1 id=7 dup "x"
  a<< PUBACK id=7
  app<< u x
  app<< u x`,
)

dialogue(
  '5.0 [MQTT-4.3.3-1] QoS 2 has a new identifier, [MQTT-4.3.3-2] DUP 0, [MQTT-4.3.3-3] and is unacknowledged until PUBREC',
  `${ONLINE}
  app>> t 1 qos=2
  a<< PUBLISH topic=t qos=2 id=$id "1"${RESUMED}
  a<< PUBLISH topic=t qos=2 id=$id dup "1"
  a>> PUBREC id=$id
  a<< PUBREL id=$id
  a>> PUBCOMP id=$id${RESUMED}
  a<< nothing`,
)

dialogue(
  '5.0 [MQTT-4.3.3-9] behind a PUBREC 0x80 or above its identifier is a new message',
  `
  gateway mqtt
  deny publish secret
  app subscribes u
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 ...
  a>> PUBLISH topic=secret qos=2 id=5 "x"
  a<< PUBREC id=5 reason=0x87 reasonString=not-authorized
  a>> PUBLISH topic=u qos=2 id=5 "y"
  a<< PUBREC id=5
  app<< u y`,
)

dialogue(
  '5.0 [MQTT-4.5.0-1] a message that the server took is added to the session of every client that matches',
  `${ONLINE}
  a hangs up
  p = tcp
  p>> CONNECT clientId=p version=5.0
  p<< CONNACK code=0 ...
  p>> PUBLISH topic=t qos=1 id=1 "x"
  p<< PUBACK id=1
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false
  a<< CONNACK code=0 sessionPresent=true ...
  a<< PUBLISH topic=t qos=1 id=* "x"`,
)

dialogue(
  '5.0 [MQTT-4.6.0-5] messages of one publisher, topic and QoS arrive in their order, also behind a new connection',
  `${ONLINE}
  p = tcp
  p>> CONNECT clientId=p version=5.0
  p<< CONNACK code=0 ...
  p>> PUBLISH topic=t qos=1 id=1 "1"
  p>> PUBLISH topic=t qos=1 id=2 "2"
  p<< PUBACK id=1
  p<< PUBACK id=2
  a<< PUBLISH topic=t qos=1 id=1 "1"
  a<< PUBLISH topic=t qos=1 id=2 "2"
  a hangs up
  p>> PUBLISH topic=t qos=1 id=3 "3"
  p<< PUBACK id=3${RESUMED.replace('a hangs up', '')}
  a<< PUBLISH topic=t qos=1 id=1 dup "1"
  a<< PUBLISH topic=t qos=1 id=2 dup "2"
  a<< PUBLISH topic=t qos=1 id=* "3"`,
)

dialogue(
  '5.0 [MQTT-4.7.2-1] a wildcard at the beginning does not match topics that begin with $',
  `${ONLINE}
  a>> SUBSCRIBE id=2 filter=+/x
  a<< SUBACK id=2 codes=0
  app>> $a/x 1
  app>> b/x 2
  a<< PUBLISH topic=b/x "2"`,
)

dialogue(
  '5.0 [MQTT-4.7.3-1] an empty filter is refused, [MQTT-4.7.3-3] one of 65535 octets is not, [MQTT-4.7.3-4] and nothing is normalized',
  `${ONLINE}
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> SUBSCRIBE id=2 filter=""
  b<< DISCONNECT reason=0x8f reasonString=topic-filter
  a>> SUBSCRIBE id=2 filter=${'l'.repeat(65_535)} filter=caf\u00e9
  a<< SUBACK id=2 codes=0,0
  app>> cafe\u0301 decomposed
  app>> caf\u00e9 same
  a<< PUBLISH topic=caf\u00e9 "same"`,
)

dialogue(
  '5.0 [MQTT-4.9.0-3] where the send quota is used up, everything but PUBLISH goes on',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 receiveMaximum=1
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  app>> t 1 qos=1
  app>> t 2 qos=1
  a<< PUBLISH topic=t qos=1 id=$id "1"
  a>> PUBLISH topic=u qos=1 id=9 "x"
  a<< PUBACK id=9 reason=0x10
  a>> SUBSCRIBE id=2 filter=u
  a<< SUBACK id=2 codes=0
  a>> PUBACK id=$id
  a<< PUBLISH topic=t qos=1 id=* "2"`,
)
