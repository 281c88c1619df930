/** Acknowledgements of another exchange than the one that is under way (MQTT 5.0 section 4.3; 3.1.1 likewise). */
import { dialogue } from './dialogue.ts'

/** What the client gets and sends before the wrong one, with the QoS of the delivery. */
const OUT_OF_TURN: readonly (readonly [what: string, qos: 1 | 2, dialogue: string])[] = [
  ['PUBREC for QoS 1', 1, 'a>> PUBREC id=$id'],
  ['PUBCOMP for QoS 1', 1, 'a>> PUBCOMP id=$id'],
  ['PUBACK for QoS 2', 2, 'a>> PUBACK id=$id'],
  ['PUBCOMP before PUBREC', 2, 'a>> PUBCOMP id=$id'],
  ['PUBACK behind PUBREL', 2, 'a>> PUBREC id=$id\n  a<< PUBREL id=$id\n  a>> PUBACK id=$id'],
]

for (const [what, qos, sent] of OUT_OF_TURN) {
  dialogue(
    `3.1.1: ${what} closes the connection`,
    `
  a = tcp
  a>> CONNECT clientId=a clean=false
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2
  app>> t x qos=${qos}
  a<< PUBLISH topic=t qos=${qos} id=$id "x"
  ${sent}
  a closed protocol-error`,
  )

  dialogue(
    `5.0: ${what} is a protocol error, and the delivery stays open`,
    `
  a = tcp
  a>> CONNECT clientId=a clean=true sessionExpiryInterval=60 version=5.0
  a<< CONNACK code=0 sessionPresent=false receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* serverKeepAlive=*
  a>> SUBSCRIBE id=1 filter=t qos=2
  a<< SUBACK id=1 codes=2
  app>> t x qos=${qos}
  a<< PUBLISH topic=t qos=${qos} id=$id "x"
  ${sent}
  a<< DISCONNECT reason=0x82 reasonString=acknowledgement-out-of-turn
  a closed protocol-error
  a = tcp
  a>> CONNECT clientId=a clean=false sessionExpiryInterval=60 version=5.0
  a<< CONNACK code=0 sessionPresent=true receiveMaximum=* maximumPacketSize=* topicAliasMaximum=* serverKeepAlive=*
  a<< ${what.includes('PUBREL') ? 'PUBREL id=$id' : `PUBLISH topic=t qos=${qos} id=$id dup "x"`}`,
  )
}

dialogue(
  'an acknowledgement for an identifier that is not open is only counted; PUBREL is for what the client sent',
  `
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  a>> SUBSCRIBE id=1 filter=t qos=1
  a<< SUBACK id=1 codes=1
  app>> t x qos=1
  a<< PUBLISH topic=t qos=1 id=1 "x"
  a>> PUBREL id=1
  a<< PUBCOMP id=1
  a>> PUBACK id=1
  a>> PUBACK id=1
  counter puback-missed 1
  a>> PUBCOMP id=7
  counter pubcomp-missed 1`,
)
