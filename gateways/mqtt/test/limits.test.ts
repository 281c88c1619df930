/** Limits that CONNACK announces (MQTT 5.0 section 3.2.2.3), and what becomes of those who ignore them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IConnackPacket } from 'mqtt-packet'
import { dialogue } from './dialogue.ts'
import { fixture } from './peer.ts'

const LIMITED = {
  receiveMaximum: 7,
  maxPacketSize: '1KiB',
  topicAliasMaximum: 3,
  maximumQos: 1,
  retainAvailable: false,
  wildcardSubscriptions: false,
  sharedSubscriptions: false,
  subscriptionIdentifiers: false,
  maxKeepAlive: '60s',
}

test('5.0 CONNACK says every limit that is not the default of the standard', async () => {
  const { open } = await fixture(LIMITED)
  const peer = open(5)
  peer.connect('a')
  const [connack] = peer.take() as [IConnackPacket]
  assert.deepEqual(
    { ...connack.properties },
    {
      receiveMaximum: 7,
      maximumPacketSize: 1024,
      topicAliasMaximum: 3,
      maximumQoS: 1,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      serverKeepAlive: 60,
    },
  )
})

dialogue(
  '5.0 [MQTT-3.2.2-9] a maximum QoS is announced and held: 0x9B; [MQTT-3.2.2-10] subscriptions of any QoS are taken',
  `
  gateway mqtt {"maximumQos":1}
  a = tcp
  a>> CONNECT clientId=a version=5.0 keepalive=10
  a<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* maximumQoS=1
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=1
  a>> PUBLISH topic=t qos=1 id=1 "x"
  a<< PUBLISH topic=t qos=1 id=* "x"
  a<< PUBACK id=1
  a>> PUBLISH topic=t qos=2 id=2 "x"
  a<< DISCONNECT reason=0x9b reasonString=qos-unsupported
  a closed protocol-error
  b = tcp
  b>> CONNECT clientId=b
  b<< CONNACK code=0 sessionPresent=false
  b>> PUBLISH topic=t qos=2 id=2 "x"
  b closed protocol-error
  c = tcp
  c>> CONNECT clientId=c version=5.0
  c<< CONNACK code=0 ...
  app>> t y qos=2
  c>> SUBSCRIBE id=1 filter=t qos=2
  c<< SUBACK id=1 codes=1
  app>> t z qos=2
  c<< PUBLISH topic=t qos=1 id=* "z"`,
)

dialogue(
  '5.0 [MQTT-3.2.2-12] a will with more than the maximum QoS is refused with 0x9B, in 3.1.1 with 5',
  `
  gateway mqtt {"maximumQos":0}
  app subscribes t
  a = tcp
  a>> CONNECT clientId=a version=5.0 will=t willQos=1 willPayload=x
  a<< CONNACK code=0x9b sessionPresent=false
  a closed not-authorized
  b = tcp
  b>> CONNECT clientId=b will=t willQos=1 willPayload=x
  b<< CONNACK code=5 sessionPresent=false
  b closed not-authorized
  counter connect-refused 2
  clients 0`,
)

dialogue(
  '5.0 [MQTT-3.2.2-13] where nothing is retained a retained will is refused with 0x9A, [MQTT-3.2.2-14] a retained message too',
  `
  gateway mqtt {"retainAvailable":false}
  app subscribes t
  a = tcp
  a>> CONNECT clientId=a version=5.0 will=t willRetain willPayload=x
  a<< CONNACK code=0x9a sessionPresent=false
  a closed not-authorized
  b = tcp
  b>> CONNECT clientId=b version=5.0 will=t willPayload=gone
  b<< CONNACK code=0 sessionPresent=false ...
  b>> PUBLISH topic=t retain "x"
  b<< DISCONNECT reason=0x9a reasonString=retain-unsupported
  b closed protocol-error
  app<< t gone
  app2 subscribes t
  app2<< nothing`,
)

dialogue(
  '5.0 wildcards, groups and identifiers that are not supported: DISCONNECT 0xA2, 0x9E, 0xA1 (sections 3.2.2.3.11 to 3.2.2.3.13)',
  `
  gateway mqtt {"wildcardSubscriptions":false,"sharedSubscriptions":false,"subscriptionIdentifiers":false}
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t filter=a/+
  a<< DISCONNECT reason=0xa2 reasonString=wildcard-unsupported
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=$share/g/t
  a<< DISCONNECT reason=0x9e reasonString=shared-unsupported
  a = tcp
  a>> CONNECT clientId=a version=5.0
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=t subscriptionIdentifier=1
  a<< DISCONNECT reason=0xa1 reasonString=subscription-id-unsupported`,
)

dialogue(
  '3.1.1 wildcards and groups that are not supported are refused filter by filter',
  `
  gateway mqtt {"wildcardSubscriptions":false,"sharedSubscriptions":false}
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=a/# filter=t qos=1 filter=$share/g/t
  a<< SUBACK id=1 codes=0x80,1,0x80
  a>> SUBSCRIBE id=2 filter=#
  a<< SUBACK id=2 codes=0x80
  app>> a/b x
  app>> t y
  a<< PUBLISH topic=t "y"`,
)

dialogue(
  '5.0 [MQTT-3.1.2-24] where not even CONNACK fits the client is not let on; a SUBACK that does not fit ends the connection',
  `
  a = tcp
  a>> CONNECT clientId=a version=5.0 maximumPacketSize=8 keepalive=10
  a closed too-large
  clients 0
  b = tcp
  b>> CONNECT clientId=b version=5.0 maximumPacketSize=16 keepalive=10
  b<< CONNACK code=0 ...
  b>> SUBSCRIBE id=1 filter=a filter=b
  b<< SUBACK id=1 codes=0,0
  b>> SUBSCRIBE id=2 filter=a filter=b filter=c filter=d filter=e filter=f filter=g filter=h filter=i filter=j filter=k filter=l
  b<< DISCONNECT reason=0x95 reasonString=too-large
  b closed too-large
  counter answer-too-large 2`,
)

dialogue(
  '5.0 [MQTT-3.9.2-1] [MQTT-3.4.2-2] reasons in words are left out of a SUBACK or PUBACK that would be too large',
  `
  gateway mqtt
  deny subscribe secret
  deny publish secret
  a = tcp
  a>> CONNECT clientId=a version=5.0 maximumPacketSize=16 keepalive=10
  a<< CONNACK code=0 ...
  a>> SUBSCRIBE id=1 filter=secret
  a<< SUBACK id=1 codes=0x87
  a>> PUBLISH topic=secret qos=1 id=2 "x"
  a<< PUBACK id=2 reason=0x87
  a>> PUBLISH topic=secret qos=2 id=3 "x"
  a<< PUBREC id=3 reason=0x87
  b = tcp
  b>> CONNECT clientId=b version=5.0
  b<< CONNACK code=0 ...
  b>> SUBSCRIBE id=1 filter=secret
  b<< SUBACK id=1 codes=0x87 reasonString=not-authorized
  b>> PUBLISH topic=secret qos=2 id=3 "x"
  b<< PUBREC id=3 reason=0x87 reasonString=not-authorized`,
)
