/**
 * The part of a session host that bounds what is published: by connection (the listener's message rate) and by client (the
 * gateway's quotas). A stream is slowed down and loses nothing; who cannot be made to wait is refused.
 */
import type { Client } from '../broker/client.ts'
import type { TokenBucket } from '../transport/token-bucket.ts'
import { ClientLink } from './client-link.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'

/** Sessions name theirs from 0 up. */
export const THROTTLE_TIMER = -1

export abstract class MeteredLink extends ClientLink {
  /** Messages a second of the connection; undefined is no limit. */
  protected rate: TokenBucket | undefined

  constructor(runtime: GatewayRuntime, rate: TokenBucket | undefined) {
    super(runtime)
    this.rate = rate
  }

  abstract arm(timer: number, delayMs: number): void
  protected abstract isArmed(timer: number): boolean
  /** A stream that no other session shares. */
  protected abstract get canWait(): boolean
  protected abstract pauseReading(): void
  /** Unless it is paused for another reason. */
  protected abstract resumeReading(): void

  /** The stream is not read until it has paid. */
  protected get throttled(): boolean {
    return this.isArmed(THROTTLE_TIMER)
  }

  protected override meter(client: Client, bytes: number): boolean {
    const now = this.now()
    const quota = this.runtime.quotas?.of(client, now)
    if (quota === undefined && this.rate === undefined) return true
    if (!this.canWait) {
      if (quota?.take(bytes, now) ?? true) return true
      this.count('quota-refused')
      return false
    }
    const owedMs = Math.max(this.rate?.spend(1, now) ?? 0, quota?.spend(1, bytes, now) ?? 0)
    if (owedMs === 0 || this.throttled) return true
    this.count('throttled')
    this.pauseReading()
    this.arm(THROTTLE_TIMER, owedMs)
    return true
  }

  /** The throttle's timer fired: reads on when all is paid. */
  protected unthrottle(): void {
    const now = this.now()
    const quota = this.client === undefined ? undefined : this.runtime.quotas?.of(this.client, now)
    const owedMs = Math.max(this.rate?.spend(0, now) ?? 0, quota?.spend(0, 0, now) ?? 0)
    if (owedMs > 0) {
      this.arm(THROTTLE_TIMER, owedMs)
      return
    }
    this.resumeReading()
  }
}
