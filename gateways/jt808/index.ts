/**
 * JT/T 808: terminals of road vehicles over TCP, TLS and UDP, editions 2011, 2013 and 2019. A terminal's client id is
 * its phone number, the digits exactly as in the header. See README.md for what is decoded and how it is configured.
 */
import { defineGateway } from '#sdk'
import { type Config, config } from './config.ts'
import { Credentials } from './credentials.ts'
import { TerminalSession } from './session.ts'
import type { Shared } from './shared.ts'

export default defineGateway<Config>({
  name: 'jt808',
  title: 'JT/T 808',
  spec: 'jt808',
  transports: ['tcp', 'tls', 'udp'],
  listeners: [
    { type: 'tcp', port: 6207 },
    { type: 'udp', port: 6207 },
  ],
  config,
  create(context) {
    const shared: Shared = {
      config: context.config,
      credentials: new Credentials(context.config.auth),
      byPhone: new Map(),
      assembling: {
        used: 0,
        get limit() {
          return shared.config.parts.maxTotalBytes
        },
      },
    }
    return {
      open: (link) => new TerminalSession(shared, link),
      reload(next) {
        shared.config = next
        shared.credentials.policy = next.auth
        return 'applied'
      },
    }
  },
})
