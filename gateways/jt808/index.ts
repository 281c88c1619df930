/**
 * JT/T 808: terminals of road vehicles over TCP, TLS and UDP, editions 2011, 2013 and 2019. A terminal's client id is
 * its phone number, the digits exactly as in the header. See README.md for what is decoded and how it is configured.
 */
import { defineGateway, type Service } from '#sdk'
import { AUTHENTICATION, REGISTRY } from './admission.ts'
import { AttachmentSession } from './attachment-session.ts'
import { type Config, config } from './config.ts'
import { Credentials } from './credentials.ts'
import { KEY_BITS } from './encryption.ts'
import { TerminalSession } from './session.ts'
import type { Shared } from './shared.ts'
import { Vendor } from './vendor.ts'

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
    const { rsa, role, leadingZeros } = context.config
    const shared: Shared = {
      config: context.config,
      vendor: new Vendor(context.config.vendor),
      credentials: new Credentials(context.config.auth, context.keys),
      keys: context.keys,
      key: rsa.enabled ? context.keys.rsaKey(KEY_BITS, rsa.key) : undefined,
      byPhone: new Map(),
      assembling: {
        used: 0,
        get limit() {
          return shared.config.parts.maxTotalBytes
        },
      },
      collecting: {
        used: 0,
        get limit() {
          return shared.config.attachments.maxTotalBytes
        },
      },
    }
    return {
      get services() {
        return servicesOf(shared.config)
      },
      get files() {
        const { maxTotalBytes, maxAge } = shared.config.files
        return { maxTotalBytes, maxAgeMs: maxAge }
      },
      open: (link) => (role === 'attachments' ? new AttachmentSession(shared, link) : new TerminalSession(shared, link)),
      reload(next) {
        if (next.role !== role || next.leadingZeros !== leadingZeros) return 'restart'
        if (next.rsa.enabled !== rsa.enabled || next.rsa.key !== rsa.key) return 'restart'
        shared.config = next
        shared.vendor = new Vendor(next.vendor)
        shared.credentials.policy = next.auth
        return 'applied'
      },
    }
  },
})

function servicesOf({ auth }: Config): Record<string, Service> {
  const services: Record<string, Service> = {}
  for (const [name, service] of [
    [REGISTRY, auth.registry],
    [AUTHENTICATION, auth.authentication],
  ] as const) {
    if (service === undefined) continue
    const { timeout, ...rest } = service
    services[name] = { ...rest, timeoutMs: timeout }
  }
  return services
}
