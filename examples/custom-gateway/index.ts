/**
 * A gateway of one's own, whole: devices that speak lines of text over TCP (README.md has the protocol). Copied into
 * `gateways/line` it is found by its folder; anywhere else a config names its path or its package: `use: ./index.js`.
 */
import { defineGateway } from 'omnigate/sdk'
import { type Config, config } from './config.ts'
import { LineSession } from './session.ts'

export default defineGateway<Config>({
  name: 'line',
  title: 'Lines of text',
  spec: 'line',
  transports: ['tcp', 'tls'],
  listeners: [{ type: 'tcp', port: 7777 }],
  config,
  create: ({ config: settings }) => ({ open: (link) => new LineSession(link, settings) }),
})
