/**
 * A group that the gateway speaks to: ADVERTISE every T_ADV, and GWINFO where configured (MQTT-SN 1.2, 6.1). Of version 2.0
 * only where nobody speaks 1.2, to whom that ADVERTISE is a PINGREQ.
 */
import type { CloseReason, Link, Session } from '#sdk'
import { encode } from './codec/index.ts'
import { encodePacket } from './codec/v2/index.ts'
import type { Shared } from './shared.ts'

const ADVERTISE = 1
const SECOND_MS = 1000

export class GroupSession implements Session {
  readonly #shared: Shared
  readonly #link: Link

  constructor(shared: Shared, link: Link) {
    this.#shared = shared
    this.#link = link
    shared.groups.add(this)
    this.schedule()
  }

  /** The next ADVERTISE at once: a gateway that starts, or advertises at another pace, says so. */
  schedule(): void {
    if (this.#shared.config.advertise.interval === 0) this.#link.disarm(ADVERTISE)
    else this.#link.arm(ADVERTISE, 0)
  }

  send(bytes: Uint8Array): void {
    this.#link.send(bytes)
  }

  onTimer(): void {
    const { gatewayId, advertise, version } = this.#shared.config
    const message = { type: 'advertise', gatewayId, duration: Math.ceil(advertise.interval / SECOND_MS) } as const
    this.#link.send(version === '2.0' ? encodePacket(message) : encode(message))
    this.#link.count('advertised')
    this.#link.arm(ADVERTISE, advertise.interval)
  }

  onClose(_reason: CloseReason): void {
    this.#shared.groups.delete(this)
  }

  /** Nothing comes from a group, and no client is connected here. */
  onBytes(): void {}
  onConnect(): void {}
  onDeliver(): void {}
}
