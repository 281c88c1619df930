/** Stands for a gateway whose sessions were restored and that does not run: not yet, or not any more. */
import type { Port } from '../broker/port.ts'
import type { SessionLimits } from '../sdk.ts'

/** Of a gateway that the config does not know any more: its sessions keep what they have until they expire. */
const NO_ROOM: SessionLimits = {
  maxInflight: 1,
  maxQueued: 0,
  maxQueuedBytes: 0,
  dropPolicy: 'drop-newest',
  queueQos0Offline: false,
  maxSubscriptions: 0,
  maxPublishRate: 0,
  maxPublishBurst: 0,
  maxPublishByteRate: 0,
  maxPublishByteBurst: 0,
}

class AbsentPort implements Port {
  readonly gateway: string
  readonly limits: SessionLimits

  constructor(gateway: string, limits: SessionLimits) {
    this.gateway = gateway
    this.limits = limits
  }

  deliver(): boolean {
    return false
  }

  evict(): void {}

  peer(): string {
    return ''
  }
}

/** One port for each gateway that sessions name. `limitsOf` knows the gateways of the config. */
export function absentPorts(limitsOf: (gateway: string) => SessionLimits | undefined): (gateway: string) => Port {
  const ports = new Map<string, Port>()
  return (name) => {
    let port = ports.get(name)
    if (port === undefined) {
      port = new AbsentPort(name, limitsOf(name) ?? NO_ROOM)
      ports.set(name, port)
    }
    return port
  }
}
