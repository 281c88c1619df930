/** MQTT 5.0 sections 3.1.2.5 and 3.1.3.2: wills with their delay and their properties. */
import { dialogue } from './dialogue.ts'

dialogue(
  '5.0 [MQTT-3.1.2-15] a retained will is published retained, [MQTT-3.1.2-14] another is not',
  `
  app subscribes will/#
  a = tcp
  a>> CONNECT clientId=a version=5.0 will=will/kept willRetain willPayload=x
  a<< CONNACK code=0 ...
  b = tcp
  b>> CONNECT clientId=b version=5.0 will=will/live willPayload=y
  b<< CONNACK code=0 ...
  a hangs up
  b hangs up
  app<< will/kept x
  app<< will/live y
  app2 subscribes will/#
  app2<< will/kept x retain
  app2<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.1.3-9] a new connection before the will delay is over: no will',
  `
  app subscribes will
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60 will=will willPayload=x will.willDelayInterval=10
  a<< CONNACK code=0 ...
  a hangs up
  ~ 9s
  a = tcp
  a>> CONNECT clientId=a version=5.0 clean=false sessionExpiryInterval=60
  a<< CONNACK code=0 sessionPresent=true ...
  ~ 1h app<< nothing`,
)

dialogue(
  '5.0 [MQTT-3.1.2-8] the will is published when its delay is over or the session ends, whichever comes first',
  `
  app subscribes will/#
  a = tcp
  a>> CONNECT clientId=a version=5.0 sessionExpiryInterval=60 will=will/delay willPayload=x will.willDelayInterval=10
  a<< CONNACK code=0 ...
  b = tcp
  b>> CONNECT clientId=b version=5.0 sessionExpiryInterval=5 will=will/session willPayload=y will.willDelayInterval=10
  b<< CONNACK code=0 ...
  a hangs up
  b hangs up
  ~ 5s app<< will/session y
  ~ 5s app<< will/delay x
  c = tcp
  c>> CONNECT clientId=c version=5.0 sessionExpiryInterval=60 will=will/clean willPayload=z will.willDelayInterval=10
  c<< CONNACK code=0 ...
  c hangs up
  c = tcp
  c>> CONNECT clientId=c version=5.0 clean=true
  c<< CONNACK code=0 ...
  app<< will/clean z`,
)

/** `b=1`, `a=2`, `b=33`, with a content type in between: an order that no object of names keeps. */
const USER_PROPERTIES = '26 00 01 62 00 01 31 26 00 01 61 00 01 32 03 00 01 74 26 00 01 62 00 02 33 33'

dialogue(
  '5.0 [MQTT-3.1.3-10] user properties of a will are published in their order, the repeated ones too',
  `
  s = tcp
  s>> CONNECT clientId=s version=5.0
  s<< CONNACK code=0 ...
  s>> SUBSCRIBE id=1 filter=w
  s<< SUBACK id=1 codes=0
  a = tcp
  a>> hex 10 2f 00 04 4d 51 54 54 05 06 00 0a 00 00 01 61 1a ${USER_PROPERTIES} 00 01 77 00 01 78
  a<< hex 20 0e 00 00 0b 21 04 00 27 00 10 00 00 22 00 20
  a hangs up
  s<< hex 30 1f 00 01 77 1a 03 00 01 74 ${USER_PROPERTIES.replace('03 00 01 74 ', '')} 78`,
)
