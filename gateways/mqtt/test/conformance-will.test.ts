/** MQTT 3.1.1 sections 3.1.2.5 to 3.1.2.7: wills. */
import { test } from 'node:test'
import { eachCloses } from './closing.ts'
import { dialogue } from './dialogue.ts'

const WILL = `
  app subscribes will/#
  a = tcp
  a>> CONNECT clientId=a keepalive=10 will=will/a willPayload=gone
  a<< CONNACK code=0 sessionPresent=false`

dialogue(
  '[MQTT-3.1.2-8] the will is published on every end of the connection but DISCONNECT',
  `${WILL}
  a hangs up
  app<< will/a "gone"
  a = tcp
  a>> CONNECT clientId=a keepalive=10 will=will/a willPayload=silent
  a<< CONNACK code=0 sessionPresent=false
  ~ 15s a closed keepalive-timeout
  app<< will/a "silent"
  a = tcp
  a>> CONNECT clientId=a will=will/a willPayload=broken
  a<< CONNACK code=0 sessionPresent=false
  a>> hex 00 00
  a closed protocol-error
  app<< will/a "broken"
  a = tcp
  a>> CONNECT clientId=a will=will/a willPayload=displaced
  a<< CONNACK code=0 sessionPresent=false
  b = tcp
  b>> CONNECT clientId=a will=will/a willPayload=never
  b<< CONNACK code=0 sessionPresent=false
  app<< will/a "displaced"
  b>> DISCONNECT
  b closed disconnected
  app<< nothing`,
)

test('[MQTT-3.1.2-9] with the will flag the will topic and message must be there', () =>
  eachCloses({
    'no will topic': '100d 0004 4d515454 04 06 0000 0001 61',
    'no will message': '1010 0004 4d515454 04 06 0000 0001 61 0001 77',
  }))

dialogue(
  '[MQTT-3.1.2-10] a will is removed once it is published, and by DISCONNECT',
  `
  app subscribes will/#
  a = tcp
  a>> CONNECT clientId=a clean=false will=will/a willPayload=gone
  a<< CONNACK code=0 sessionPresent=false
  a hangs up
  app<< will/a "gone"
  b = tcp
  b>> CONNECT clientId=a clean=false
  b<< CONNACK code=0 sessionPresent=true
  b hangs up
  ~ 1d app<< nothing
  c = tcp
  c>> CONNECT clientId=a clean=false will=will/a willPayload=gone
  c<< CONNACK code=0 sessionPresent=false
  c>> DISCONNECT
  ~ 1d app<< nothing`,
)

test('[MQTT-3.1.2-11] without the will flag its bits are 0 and there is no will in the payload', () =>
  eachCloses({
    'a will in the payload': '1013 0004 4d515454 04 02 0000 0001 61 0001 77 0001 78',
    'will retain': '100d 0004 4d515454 04 22 0000 0001 61',
  }))

dialogue(
  '[MQTT-3.1.2-12] without the will flag no will is published',
  `
  app subscribes +/#
  app<< devices/app/status * retain
  a = tcp
  a>> CONNECT clientId=a
  a<< CONNACK code=0 sessionPresent=false
  app<< devices/a/status {"online":true}
  a hangs up
  app<< devices/a/status {"online":false,"reason":"connection-lost"}
  app<< nothing`,
)

test('[MQTT-3.1.2-13] a will QoS without a will closes the connection', () =>
  eachCloses({
    'QoS 1': '100d 0004 4d515454 04 0a 0000 0001 61',
    'QoS 2': '100d 0004 4d515454 04 12 0000 0001 61',
  }))

test('[MQTT-3.1.2-14] will QoS 3 closes the connection', () =>
  eachCloses({ 'QoS 3': '1013 0004 4d515454 04 1e 0000 0001 61 0001 77 0001 78' }))

test('[MQTT-3.1.2-15] will retain without a will closes the connection', () =>
  eachCloses({ retain: '100d 0004 4d515454 04 22 0000 0001 61' }))

dialogue(
  '[MQTT-3.1.2-16] will retain 0: the will is published and not retained',
  `${WILL}
  a hangs up
  app<< will/a "gone"
  app2 subscribes will/#
  app2<< nothing`,
)

dialogue(
  '[MQTT-3.1.2-17] will retain 1: the will is published and retained, with its QoS',
  `
  app subscribes will/# qos=2
  a = tcp
  a>> CONNECT clientId=a will=will/a willQos=1 willRetain willPayload=gone
  a<< CONNACK code=0 sessionPresent=false
  a hangs up
  app<< will/a "gone" qos=1
  app2 subscribes will/# qos=2
  app2<< will/a "gone" qos=1 retain`,
)
