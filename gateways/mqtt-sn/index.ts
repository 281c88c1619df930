/**
 * MQTT-SN 1.2 over UDP: sensors that sleep, publish by topic ids, and stand behind forwarders. A client's id is its
 * MQTT-SN client id. See README.md for what is supported and how it maps to the broker.
 */
import { defineGateway } from '#sdk'
import { AddressSession } from './address-session.ts'
import { type Config, config } from './config.ts'
import { PredefinedTopics } from './predefined.ts'
import { ReplyBudget } from './reply-budget.ts'
import type { Shared } from './shared.ts'

export default defineGateway<Config>({
  name: 'mqtt-sn',
  title: 'MQTT-SN',
  spec: 'mqtt-sn',
  transports: ['udp'],
  listeners: [{ type: 'udp', port: 1884 }],
  config,
  create(context) {
    const shared: Shared = {
      config: context.config,
      predefined: new PredefinedTopics(context.config.predefined),
      clients: new Map(),
      publishers: new Map(),
      replies: new ReplyBudget(),
    }
    return {
      open: (link) => new AddressSession(shared, link),
      reload(next) {
        shared.config = next
        shared.predefined = new PredefinedTopics(next.predefined)
        return 'applied'
      },
    }
  },
})
