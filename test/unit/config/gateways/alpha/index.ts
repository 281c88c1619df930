/** A stream gateway that exists for the config's tests. */

import * as z from 'zod'
import { defineGateway } from '#sdk'
import { duration, size } from '#sdk/schema'

const config = z.strictObject({
  idleTimeout: duration('30s', { title: 'Idle timeout', 'x-reload': 'live' }),
  maxFrame: size('4KiB', { title: 'Largest frame', 'x-reload': 'gateway' }),
  mode: z.enum(['plain', 'strict']).default('plain').meta({ title: 'Mode', 'x-reload': 'live' }),
  retry: z
    .strictObject({
      count: z.int().min(0).max(9).default(3).meta({ title: 'Retries' }),
      interval: duration('2s', { title: 'Interval', 'x-reload': 'live' }),
    })
    .prefault({}),
  users: z.record(z.string(), z.string()).default({}).meta({ title: 'Users' }),
  sequence: z.int().default(0).meta({ title: 'First number' }),
})

export default defineGateway({
  name: 'alpha',
  title: 'Alpha',
  spec: 'alpha',
  transports: ['tcp', 'tls', 'ws', 'wss'],
  listeners: [
    { type: 'tcp', port: 21001 },
    { type: 'ws', port: 21002, path: '/alpha' },
    { type: 'tls', port: 21003 },
  ],
  subprotocols: ['alpha.v1'],
  config,
  create: () => ({
    open: () => ({ onBytes() {}, onTimer() {}, onConnect() {}, onDeliver() {}, onClose() {} }),
  }),
})
