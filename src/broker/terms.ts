/** What a client connected with and its neighbours mostly did, too: equal terms in a row are one object, shared by them all. */
import type { ConnectRequest } from '../sdk.ts'
import type { Port } from './port.ts'

export class Terms {
  static #latest: Terms | undefined = undefined

  readonly protocol: string
  readonly version: string | undefined
  readonly keepAliveMs: number
  readonly window: number
  readonly trackQos0: boolean

  private constructor({ protocol, version, keepAliveMs, trackQos0 = false }: ConnectRequest, window: number) {
    this.protocol = protocol
    this.version = version
    this.keepAliveMs = keepAliveMs
    this.window = window
    this.trackQos0 = trackQos0
  }

  static of(request: ConnectRequest, port: Port): Terms {
    const window = Math.min(request.receiveMaximum ?? 65535, port.limits.maxInflight)
    const latest = Terms.#latest
    if (latest?.isOf(request, window) === true) return latest
    Terms.#latest = new Terms(request, window)
    return Terms.#latest
  }

  isOf({ protocol, version, keepAliveMs, trackQos0 = false }: ConnectRequest, window: number): boolean {
    return (
      this.protocol === protocol &&
      this.version === version &&
      this.keepAliveMs === keepAliveMs &&
      this.window === window &&
      this.trackQos0 === trackQos0
    )
  }
}
