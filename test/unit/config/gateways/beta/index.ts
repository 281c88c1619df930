/** A datagram gateway whose schema comes from no library at all: Standard Schema by hand, without JSON Schema. */
import { defineGateway } from '#sdk'

interface BetaConfig {
  readonly level: number
}

export default defineGateway<BetaConfig>({
  name: 'beta',
  title: 'Beta',
  spec: 'beta',
  transports: ['udp', 'dtls'],
  listeners: [
    { type: 'udp', port: 22001 },
    { type: 'dtls', port: 22002 },
  ],
  config: {
    '~standard': {
      version: 1,
      vendor: 'hand',
      validate: async (value) => {
        const { level = 1 } = value as { level?: unknown }
        if (level === 'crash') throw new Error('the schema crashed')
        return typeof level === 'number'
          ? { value: { level } }
          : { issues: [{ message: 'level must be a number', path: [{ key: 'level' }] }] }
      },
    },
  },
  create: () => ({
    open: () => ({ onBytes() {}, onTimer() {}, onConnect() {}, onDeliver() {}, onClose() {} }),
  }),
})
