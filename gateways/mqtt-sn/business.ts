/** What is open between a client and the gateway. A client that sleeps, or is silent, mostly has none of it. */
import type { Downlink } from './downlink.ts'
import type { Joining } from './joining.ts'
import type { Uplink } from './uplink.ts'

export class Business {
  joining: Joining | undefined = undefined
  uplink: Uplink | undefined = undefined
  downlink: Downlink | undefined = undefined
  /** At a new place the broker brings what is open only after the welcome. */
  arriving = false

  get isDone(): boolean {
    return this.joining === undefined && this.uplink === undefined && this.downlink === undefined && !this.arriving
  }
}
