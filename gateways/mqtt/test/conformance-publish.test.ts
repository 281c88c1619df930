/** MQTT 3.1.1 section 3.3: PUBLISH, its flags, and retained messages. */
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'

/** A publisher `p` and a subscriber `s` of `t/#` with QoS 2. */
const TWO = `
  p = tcp
  p>> CONNECT clientId=p
  p<< CONNACK code=0 sessionPresent=false
  s = tcp
  s>> CONNECT clientId=s clean=false
  s<< CONNACK code=0 sessionPresent=false
  s>> SUBSCRIBE id=1 filter=t/# qos=2
  s<< SUBACK id=1 codes=2`

dialogue(
  '[MQTT-3.3.1-1] what is delivered again has DUP 1',
  `${TWO}
  app>> t/1 x qos=1
  s<< PUBLISH topic=t/1 qos=1 id=$id "x"
  s hangs up
  s = tcp
  s>> CONNECT clientId=s clean=false
  s<< CONNACK code=0 sessionPresent=true
  s<< PUBLISH topic=t/1 qos=1 id=$id dup "x"
  s>> PUBACK id=$id
  quiet`,
)

dialogue(
  '[MQTT-3.3.1-2] a QoS 0 message has DUP 0 on its way out',
  `${TWO}
  p>> PUBLISH topic=t "x"
  s<< hex 30 04 00 01 74 78`,
)

test('[MQTT-3.3.1-2] a QoS 0 message with DUP 1 closes the connection', () => eachCloses({ 'DUP with QoS 0': '3804 0001 61 78' }))

dialogue(
  '[MQTT-3.3.1-3] DUP of the publisher is not passed on',
  `${TWO}
  p>> PUBLISH topic=t qos=1 id=5 dup "x"
  p<< PUBACK id=5
  s<< PUBLISH topic=t qos=1 id=$id "x"
  s>> PUBACK id=$id
  p>> PUBLISH topic=t qos=2 id=6 dup "y"
  p<< PUBREC id=6
  s<< PUBLISH topic=t qos=2 id=* "y"`,
)

test('[MQTT-3.3.1-4] QoS 3 closes the connection', () => eachCloses({ 'QoS 3': '3606 0001 61 0001 78' }))

dialogue(
  '[MQTT-3.3.1-5] a retained message is kept with its QoS',
  `
  app>> t/0 a retain
  app>> t/1 b qos=1 retain
  app>> t/2 c qos=2 retain
  s = tcp
  s>> CONNECT clientId=s
  s<< CONNACK code=0 sessionPresent=false
  s>> SUBSCRIBE id=1 filter=t/0 qos=2
  s<< SUBACK id=1 codes=2
  s<< PUBLISH topic=t/0 retain "a"
  s>> SUBSCRIBE id=2 filter=t/1 qos=2
  s<< SUBACK id=2 codes=2
  s<< PUBLISH topic=t/1 qos=1 id=* retain "b"
  s>> SUBSCRIBE id=3 filter=t/2 qos=2
  s<< SUBACK id=3 codes=2
  s<< PUBLISH topic=t/2 qos=2 id=* retain "c"
  s>> SUBSCRIBE id=4 filter=t/2 qos=1
  s<< SUBACK id=4 codes=1
  s<< PUBLISH topic=t/2 qos=1 id=* retain "c"`,
)

dialogue(
  '[MQTT-3.3.1-6] a new subscription gets the last retained message of each topic that matches',
  `
  app>> t/1 old retain
  app>> t/1 a retain
  app>> t/2/3 b retain
  app>> u c retain
  s = tcp
  s>> CONNECT clientId=s
  s<< CONNACK code=0 sessionPresent=false
  s>> SUBSCRIBE id=1 filter=t/1
  s<< SUBACK id=1 codes=0
  s<< PUBLISH topic=t/1 retain "a"
  s>> SUBSCRIBE id=2 filter=t/+/#
  s<< SUBACK id=2 codes=0
  s<< PUBLISH topic=t/1 retain "a"
  s<< PUBLISH topic=t/2/3 retain "b"`,
)

dialogue(
  '[MQTT-3.3.1-7] a retained message with QoS 0 replaces the one before',
  `
  app>> t a qos=2 retain
  app>> t b qos=0 retain
  app subscribes t qos=2
  app<< t "b" qos=0 retain`,
)

dialogue(
  '[MQTT-3.3.1-8] replayed to a new subscription, RETAIN is 1',
  `
  app>> t a retain
  s = tcp
  s>> CONNECT clientId=s
  s<< CONNACK code=0 sessionPresent=false
  s>> SUBSCRIBE id=1 filter=t
  s<< SUBACK id=1 codes=0
  s<< hex 31 04 00 01 74 61`,
)

dialogue(
  '[MQTT-3.3.1-9] to an established subscription RETAIN is 0, whatever the publisher set',
  `${TWO}
  p>> PUBLISH topic=t retain "a"
  s<< hex 30 04 00 01 74 61`,
)

dialogue(
  '[MQTT-3.3.1-10] an empty retained message is delivered and removes what was retained',
  `${TWO}
  app>> t a retain
  s<< PUBLISH topic=t "a"
  p>> PUBLISH topic=t retain ""
  s<< PUBLISH topic=t ""
  app2 subscribes t
  app2<< nothing`,
)

dialogue(
  '[MQTT-3.3.1-11] an empty retained message is not stored',
  `
  app>> t "" retain
  app subscribes t
  app<< nothing`,
)

dialogue(
  '[MQTT-3.3.1-12] without RETAIN nothing is stored, and what is stored stays',
  `
  app>> t a retain
  app>> t b
  app>> u c
  app subscribes t
  app<< t "a" retain
  app subscribes u
  app<< nothing`,
)

test('[MQTT-3.3.2-1] a PUBLISH without a topic name in UTF-8 closes the connection', () =>
  eachCloses({
    'no variable header': '3000',
    'a topic longer than the packet': '3003 0009 61',
    'a surrogate': '3005 0003 eda080',
  }))

test('[MQTT-3.3.2-2] a wildcard in a topic name closes the connection', () =>
  eachCloses({ '#': '3003 0001 23', '+': '3003 0001 2b', 'within a level': '3004 0002 612b' }))

dialogue(
  '[MQTT-3.3.2-3] the topic name of what is delivered is that of the message, and matches the filter',
  `${TWO}
  p>> PUBLISH topic=t/a/b "x"
  p>> PUBLISH topic=tt "y"
  p>> PUBLISH topic=t "z"
  s<< PUBLISH topic=t/a/b "x"
  s<< PUBLISH topic=t "z"`,
)

dialogue(
  '[MQTT-3.3.4-1] QoS 0 is not answered, QoS 1 with PUBACK, QoS 2 with PUBREC',
  `${TWO}
  p>> PUBLISH topic=u "x"
  p<< nothing
  p>> PUBLISH topic=u qos=1 id=1 "x"
  p<< PUBACK id=1
  p>> PUBLISH topic=u qos=2 id=2 "x"
  p<< PUBREC id=2`,
)

dialogue(
  '[MQTT-3.3.5-1] overlapping subscriptions: one copy, with the highest QoS of those that match',
  `${TWO}
  s>> SUBSCRIBE id=2 filter=t/+ qos=0 filter=t/a qos=1
  s<< SUBACK id=2 codes=0,1
  p>> PUBLISH topic=t/a qos=2 id=1 "x"
  p<< PUBREC id=1
  s<< PUBLISH topic=t/a qos=2 id=* "x"
  s<< nothing`,
)

dialogue(
  '[MQTT-3.3.5-2] a publish that is not authorized is acknowledged, and goes nowhere',
  `${TWO}
  deny publish t/secret
  p>> PUBLISH topic=t/secret qos=1 id=1 retain "x"
  p<< PUBACK id=1
  p>> PUBLISH topic=t/secret qos=2 id=2 "x"
  p<< PUBREC id=2
  p>> PUBREL id=2
  p<< PUBCOMP id=2
  s<< nothing
  app subscribes t/secret
  app<< nothing
  counter publish-refused-not-authorized 2`,
)
