/** MQTT 3.1, 3.1.1 and 5.0 clients over TCP, TLS and WebSocket. */
import { defineGateway } from '#sdk'
import type { Config } from './config.ts'
import { config } from './config.ts'
import { MqttSession } from './session.ts'

export default defineGateway<Config>({
  name: 'mqtt',
  title: 'MQTT 3.1, 3.1.1 and 5.0',
  spec: 'mqtt',
  transports: ['tcp', 'tls', 'ws', 'wss'],
  listeners: [
    { type: 'tcp', port: 1883 },
    { type: 'ws', port: 8083, path: '/mqtt' },
  ],
  // 3.1.1 section 6.0, and the name that 3.1 clients use.
  subprotocols: ['mqtt', 'mqttv3.1'],
  config,
  create: ({ config: settings }) => ({ open: (link) => new MqttSession(link, settings) }),
})
