/** Topic aliases from the broker to a 5.0 client (MQTT 5.0 section 3.3.2.3.4). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

dialogue(
  '5.0 [MQTT-3.1.2-26] the topics that come first get the aliases that the client takes, the others go by name',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 topicAliasMaximum=2
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=room/# qos=2
  s<< SUBACK id=1 codes=2
  app>> room/1 a
  s<< PUBLISH topic=room/1 topicAlias=1 "a"
  app>> room/1 b qos=1
  s<< PUBLISH topic="" qos=1 id=1 topicAlias=1 "b"
  s>> PUBACK id=1
  app>> room/2 c qos=2
  s<< PUBLISH topic=room/2 qos=2 id=2 topicAlias=2 "c"
  s>> PUBREC id=2
  s<< PUBREL id=2
  s>> PUBCOMP id=2
  app>> room/3 d
  s<< PUBLISH topic=room/3 "d"
  app>> room/2 e
  s<< PUBLISH topic="" topicAlias=2 "e"`,
)

dialogue(
  '5.0 [MQTT-3.1.2-27] a client that takes no aliases gets none',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=room/# qos=1
  s<< SUBACK id=1 codes=1
  app>> room/1 a
  s<< PUBLISH topic=room/1 "a"
  app>> room/1 b
  s<< PUBLISH topic=room/1 "b"`,
)

dialogue(
  '5.0 [MQTT-3.3.2-7] aliases end with the connection: what is sent again has its name',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false sessionExpiryInterval=60 topicAliasMaximum=5
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=room/# qos=1
  s<< SUBACK id=1 codes=1
  app>> room/1 a qos=1
  s<< PUBLISH topic=room/1 qos=1 id=1 topicAlias=1 "a"
  app>> room/1 b qos=1
  s<< PUBLISH topic="" qos=1 id=2 topicAlias=1 "b"
  s hangs up
  s = tcp
  s>> CONNECT clientId=s version=5.0 clean=false sessionExpiryInterval=60 topicAliasMaximum=5
  s<< CONNACK code=0 sessionPresent=true ...
  s<< PUBLISH topic=room/1 qos=1 id=1 dup topicAlias=1 "a"
  s<< PUBLISH topic="" qos=1 id=2 dup topicAlias=1 "b"`,
)

dialogue(
  '5.0 the gateway gives no more aliases than it is configured to, and none to a topic that is shorter than one',
  `
  gateway mqtt {"outgoingTopicAliases":1}
  s = tcp
  s>> CONNECT clientId=s version=5.0 topicAliasMaximum=10
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=t filter=room/#
  s<< SUBACK id=1 codes=0,0
  app>> t a
  s<< PUBLISH topic=t "a"
  app>> room/1 b
  s<< PUBLISH topic=room/1 topicAlias=1 "b"
  app>> room/2 c
  s<< PUBLISH topic=room/2 "c"
  app>> room/1 d
  s<< PUBLISH topic="" topicAlias=1 "d"`,
)

dialogue(
  '5.0 an alias that would make a packet too large is not given, and one that was given makes another fit',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0 topicAliasMaximum=10 maximumPacketSize=30 keepalive=10
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=room/#
  s<< SUBACK id=1 codes=0
  app>> room/one 123456789012345
  s<< PUBLISH topic=room/one "123456789012345"
  app>> room/one 1
  s<< PUBLISH topic=room/one topicAlias=1 "1"
  app>> room/one 1234567890123456789012
  s<< PUBLISH topic="" topicAlias=1 "1234567890123456789012"
  app>> room/one 12345678901234567890123
  counter delivery-too-large 1`,
)

test('properties, subscription identifiers and aliases stand side by side, and others are not disturbed', async () => {
  const { client } = await fixture()
  const aliased = client('aliased', 5, { properties: { topicAliasMaximum: 1 } })
  const plain = client('plain', 5)
  const old = client('old', 4)
  aliased.subscribe('room/+', 1, {}, { subscriptionIdentifier: 7 })
  for (const other of [plain, old]) other.subscribe('room/+', 1)
  const publisher = client('publisher', 5)
  const userProperties = { b: '1', a: '2' }
  for (const payload of ['x', 'y', 'z'])
    publisher.publish('room/1', payload, { qos: 1, messageId: 1, properties: { contentType: 'text', userProperties } })
  const brief = (packets: readonly Packet[]): unknown[] =>
    (packets as IPublishPacket[]).map(({ topic, payload, properties }) => [topic, `${payload}`, { ...properties }])
  const common = { contentType: 'text', userProperties: { __proto__: null, ...userProperties } }
  assert.deepEqual(
    brief(aliased.take()),
    ['x', 'y', 'z'].map((text, i) => [i === 0 ? 'room/1' : '', text, { topicAlias: 1, subscriptionIdentifier: 7, ...common }]),
  )
  assert.deepEqual(
    brief(plain.take()),
    ['x', 'y', 'z'].map((text) => ['room/1', text, common]),
  )
  assert.deepEqual(
    brief(old.take()),
    ['x', 'y', 'z'].map((text) => ['room/1', text, {}]),
  )
})
