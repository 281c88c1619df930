/**
 * MQTT-SN 1.2 over UDP: sensors that sleep, publish by topic ids, and stand behind forwarders. A client's id is its
 * MQTT-SN client id. See README.md for what is supported and how it maps to the broker.
 */
import { defineGateway, type Link, type Session } from '#sdk'
import { AddressSession } from './address-session.ts'
import { type Config, config } from './config.ts'
import { GroupSession } from './group-session.ts'
import { PredefinedTopics } from './predefined.ts'
import { ReplyBudget } from './reply-budget.ts'
import type { Shared } from './shared.ts'
import { AddressSession as AddressSession2 } from './v2/address-session.ts'
import { Protection } from './v2/protection.ts'
import { VersionSession } from './version-session.ts'

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
      connections: new Map(),
      protection: new Protection(context.config.protection, context.crypto),
      publishers: new Map(),
      groups: new Set(),
      replies: new ReplyBudget(),
    }
    return {
      open: (link) => (link.peer.group === true ? new GroupSession(shared, link) : openSession(shared, link)),
      reload(next) {
        if (next.version !== shared.config.version) return 'restart'
        const isNewPace = next.advertise.interval !== shared.config.advertise.interval
        shared.config = next
        if (isNewPace) for (const group of shared.groups) group.schedule()
        shared.predefined = new PredefinedTopics(next.predefined)
        shared.protection = new Protection(next.protection, context.crypto, shared.protection)
        return 'applied'
      },
    }
  },
})

function openSession(shared: Shared, link: Link): Session {
  switch (shared.config.version) {
    case '1.2':
      return new AddressSession(shared, link)
    case '2.0':
      return new AddressSession2(shared, link)
    case 'auto':
      return new VersionSession(shared, link)
  }
}
