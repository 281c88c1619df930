/** CoAP, RFC 7252: devices publish with POST and PUT, read with GET, and observe (RFC 7641) the topics of the broker. */
import { defineGateway } from '#sdk'
import { type CoapConfig, config } from './config.ts'
import { CoapGateway } from './gateway.ts'

export default defineGateway<CoapConfig>({
  name: 'coap',
  title: 'CoAP',
  spec: 'coap',
  transports: ['udp'],
  listeners: [{ type: 'udp', port: 5683 }],
  config,
  create: (context) => new CoapGateway(context.config),
})
