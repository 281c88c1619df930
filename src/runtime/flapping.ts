/** Clients that connect and disconnect all the time, for whatever reason, are banned for a while. */
import type { Client } from '../broker/client.ts'
import type { BrokerConfig } from '../config/broker-schema.ts'
import type { CloseReason, Log } from '../sdk.ts'
import type { BanSubject, Bans } from './bans.ts'

/** Clients watched at once; past it those give way that were seen first. */
const MAX_WATCHED = 100_000

/** Ends that say nothing about the client. */
const OURS: ReadonlySet<CloseReason> = new Set<CloseReason>(['shutdown', 'kicked', 'session-fault', 'unavailable'])

interface Watched {
  /** Of the first disconnect, ms since the epoch. */
  readonly since: number
  disconnects: number
}

export class Flapping {
  config: BrokerConfig['flapping']
  /** Bans that it set. */
  detected = 0
  readonly #bans: Bans
  readonly #log: Log
  readonly #watched = new Map<string, Watched>()

  constructor(config: BrokerConfig['flapping'], bans: Bans, log: Log) {
    this.config = config
    this.#bans = bans
    this.#log = log
  }

  /** A client's connection ends; `address` is where it was, if that is known. `now` in ms since the epoch. */
  disconnected(client: Client, address: string | undefined, reason: CloseReason, now: number): void {
    const { enabled, by } = this.config
    if (!enabled || OURS.has(reason)) return
    if (by.includes('clientid')) this.#count('clientid', client.id, reason, now)
    if (by.includes('address') && address !== undefined) this.#count('address', address, reason, now)
  }

  #count(as: BanSubject, who: string, reason: CloseReason, now: number): void {
    const { maxDisconnects, window, banTime } = this.config
    const key = `${as} ${who}`
    let watched = this.#watched.get(key)
    if (watched === undefined || now - watched.since > window) {
      watched = { since: now, disconnects: 0 }
      this.#watched.delete(key)
      if (this.#watched.size >= MAX_WATCHED) this.#watched.delete(this.#watched.keys().next().value as string)
      this.#watched.set(key, watched)
    }
    if (++watched.disconnects < maxDisconnects) return
    this.#watched.delete(key)
    const words = `${maxDisconnects} disconnects within ${window / 1000} s, the last one: ${reason}`
    if (!this.#bans.add({ as, who, reason: words, by: 'flapping', since: now, until: now + banTime })) return
    this.detected++
    this.#log.warn({ [as]: who, banned_s: banTime / 1000 }, `banned for flapping: ${words}`)
  }
}
