/** CoAP, RFC 7252 and 8323: devices publish with POST and PUT, read with GET, and observe (RFC 7641) the topics of the broker. */
import { defineGateway } from '#sdk'
import { type CoapConfig, config } from './config.ts'
import { CoapGateway } from './gateway.ts'
import { Accounts } from './oscore/accounts.ts'
import { Topics } from './pubsub/topics.ts'

/** RFC 8323 8.3, 8.4 */
const WEBSOCKET_PATH = '/.well-known/coap'

export default defineGateway<CoapConfig>({
  name: 'coap',
  title: 'CoAP',
  spec: 'coap',
  transports: ['udp', 'tcp', 'tls', 'ws', 'wss'],
  listeners: [
    { type: 'udp', port: 5683 },
    // RFC 8323 8.1 to 8.4
    { type: 'tcp', port: 5683, optional: true },
    { type: 'tls', port: 5684, optional: true },
    { type: 'ws', port: 80, path: WEBSOCKET_PATH, optional: true },
    { type: 'wss', port: 443, path: WEBSOCKET_PATH, optional: true },
  ],
  applicationProtocols: ['coap'], // RFC 8323 8.2
  subprotocols: ['coap'], // RFC 8323 4.1
  wholeMessages: true,
  config,
  create: ({ config, crypto, notebook }) =>
    new CoapGateway(config, new Accounts(config.oscore, crypto, notebook), new Topics(notebook)),
})
