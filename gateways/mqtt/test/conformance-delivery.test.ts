/** MQTT 3.1.1 sections 3.4 to 3.7 and 4.1 to 4.6: what QoS 1 and 2 promise, across connections and in order. */
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'

/** `a`, with a session that outlives its connection, subscribed to `t` with QoS 2. */
const SUBSCRIBED = `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2`

const RESUMED = `
  a hangs up
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=true`

test('[MQTT-3.6.1-1] PUBREL with other flags than 0010 closes the connection', () =>
  eachCloses({ '0000': '6002 0001', '0011': '6302 0001', '1010': '6a02 0001' }))

dialogue(
  '[MQTT-4.1.0-1] session state is kept for as long as its session lasts',
  `
  gateway mqtt {"sessionExpiry":"1h"}${SUBSCRIBED}
  a hangs up
  ~ 59m
  app>> t x qos=1${RESUMED.replace('a hangs up', '')}
  a<< PUBLISH topic=t qos=1 id=* "x"`,
)

dialogue(
  '[MQTT-4.1.0-2] a session lasts at least as long as its connection',
  `
  gateway mqtt {"sessionExpiry":"1m"}${SUBSCRIBED}
  ~ 7d
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=* "x"
  a hangs up
  clients 1
  ~ 1m
  clients 0`,
)

dialogue(
  '[MQTT-4.3.1-1] a QoS 0 message is sent once, with DUP 0, and not kept for an absent client',
  `${SUBSCRIBED}
  app>> t x
  a<< hex 30 04 00 01 74 78
  a hangs up
  app>> t missed
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=true
  a<< nothing`,
)

dialogue(
  '[MQTT-4.3.2-1] QoS 1 out: a new identifier, DUP 0, and unacknowledged until PUBACK',
  `
  gateway mqtt {"session":{"maxInflight":2}}${SUBSCRIBED}
  app>> t 1 qos=1
  app>> t 2 qos=1
  app>> t 3 qos=1
  a<< PUBLISH topic=t qos=1 id=$first "1"
  a<< PUBLISH topic=t qos=1 id=$second "2"
  a<< nothing
  a>> PUBACK id=$second
  a<< PUBLISH topic=t qos=1 id=* "3"
  ~ 1d a<< nothing${RESUMED}
  a<< PUBLISH topic=t qos=1 id=$first dup "1"
  a<< PUBLISH topic=t qos=1 id=* dup "3"`,
)

dialogue(
  '[MQTT-4.3.2-2] QoS 1 in: each is acknowledged and published; after PUBACK its identifier is a new message',
  `
  app subscribes t
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> PUBLISH topic=t qos=1 id=7 "x"
  a<< PUBACK id=7
  a>> PUBLISH topic=t qos=1 id=7 dup "x"
  a<< PUBACK id=7
  app<< t "x"
  app<< t "x"`,
)

dialogue(
  '[MQTT-4.3.3-1] QoS 2 out: PUBREL after PUBREC, and never the message again',
  `${SUBSCRIBED}
  app>> t x qos=2
  a<< PUBLISH topic=t qos=2 id=$id "x"
  a>> PUBREC id=$id
  a<< PUBREL id=$id${RESUMED}
  a<< PUBREL id=$id
  a>> PUBREC id=$id
  a<< PUBREL id=$id
  a>> PUBCOMP id=$id${RESUMED}
  a<< nothing`,
)

dialogue(
  '[MQTT-4.3.3-2] QoS 2 in: published once until PUBREL, every PUBREL is answered with PUBCOMP',
  `
  app subscribes t
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> PUBLISH topic=t qos=2 id=7 "x"
  a<< PUBREC id=7
  a>> PUBLISH topic=t qos=2 id=7 dup "x"
  a<< PUBREC id=7
  a>> PUBREL id=7
  a<< PUBCOMP id=7
  a>> PUBREL id=7
  a<< PUBCOMP id=7
  app<< t "x"
  app<< nothing
  a>> PUBLISH topic=t qos=2 id=7 "y"
  a<< PUBREC id=7
  app<< t "y"`,
)

dialogue(
  '[MQTT-4.4.0-1] a resumed session sends unacknowledged PUBLISH and PUBREL again, with their identifiers',
  `${SUBSCRIBED}
  app>> t 1 qos=1
  app>> t 2 qos=2
  app>> t 3 qos=2
  a<< PUBLISH topic=t qos=1 id=1 "1"
  a<< PUBLISH topic=t qos=2 id=2 "2"
  a<< PUBLISH topic=t qos=2 id=3 "3"
  a>> PUBREC id=2
  a<< PUBREL id=2
  ~ 1h a<< nothing${RESUMED}
  a<< PUBLISH topic=t qos=1 id=1 dup "1"
  a<< PUBREL id=2
  a<< PUBLISH topic=t qos=2 id=3 dup "3"`,
)

dialogue(
  '[MQTT-4.5.0-1] a message that the server took is added to the session of every client that matches',
  `${SUBSCRIBED}
  b = tcp
  b>> CONNECT clientId=b clean=false
  b<< CONNACK code=0 sessionPresent=false
  b>> SUBSCRIBE id=1 filter=# qos=1
  b<< SUBACK id=1 codes=1
  b<< PUBLISH topic=devices/a/status qos=1 id=$s1 retain *
  b>> PUBACK id=$s1
  b<< PUBLISH topic=devices/b/status qos=1 id=$s2 retain *
  b>> PUBACK id=$s2
  a hangs up
  b<< PUBLISH topic=devices/a/status qos=1 id=* {"online":false}
  p = tcp
  p>> CONNECT clientId=p
  p<< CONNACK code=0 sessionPresent=false
  b<< PUBLISH topic=devices/p/status qos=1 id=* {"online":true}
  p>> PUBLISH topic=t qos=1 id=1 "x"
  p<< PUBACK id=1
  b<< PUBLISH topic=t qos=1 id=* "x"
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=true
  a<< PUBLISH topic=t qos=1 id=* "x"
  b<< PUBLISH topic=devices/a/status qos=1 id=* {"online":true}`,
)

dialogue(
  '[MQTT-4.6.0-2] PUBACK, PUBREC and PUBCOMP leave in the order in which their packets came',
  `
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> hex 32 06 00 01 74 00 05 78 34 06 00 01 74 00 02 78 32 06 00 01 74 00 04 78 34 06 00 01 74 00 01 78 62 02 00 01 62 02 00 02
  a<< PUBACK id=5
  a<< PUBREC id=2
  a<< PUBACK id=4
  a<< PUBREC id=1
  a<< PUBCOMP id=1
  a<< PUBCOMP id=2`,
)

dialogue(
  '[MQTT-4.6.0-5] messages of one topic and QoS arrive in the order in which they were published',
  `
  gateway mqtt {"session":{"maxInflight":1}}${SUBSCRIBED}
  app>> t 1 qos=1
  app>> t 2 qos=1
  app>> t 3 qos=1
  a<< PUBLISH topic=t qos=1 id=$one "1"
  a hangs up
  app>> t 4 qos=1${RESUMED.replace('a hangs up', '')}
  a<< PUBLISH topic=t qos=1 id=$one dup "1"
  a>> PUBACK id=$one
  a<< PUBLISH topic=t qos=1 id=$two "2"
  a>> PUBACK id=$two
  a<< PUBLISH topic=t qos=1 id=$three "3"
  app>> t 5 qos=1
  a>> PUBACK id=$three
  a<< PUBLISH topic=t qos=1 id=$four "4"
  a>> PUBACK id=$four
  a<< PUBLISH topic=t qos=1 id=$five "5"`,
)

dialogue(
  '[MQTT-4.6.0-6] a slow client gets what waited in order, and others do not wait for it',
  `${SUBSCRIBED}
  app subscribes t
  a stops reading
  app>> t 1
  app>> t 2 qos=1
  app<< t "1"
  app<< t "2"
  a<< nothing
  a reads again
  a<< PUBLISH topic=t "1"
  a<< PUBLISH topic=t qos=1 id=* "2"`,
)
