/** Who may not connect, and until when: by client id, user name or address. Set by an operator, or by what the broker saw. */

export const BAN_SUBJECTS = ['clientid', 'username', 'address'] as const
export type BanSubject = (typeof BAN_SUBJECTS)[number]

export interface Ban {
  readonly as: BanSubject
  readonly who: string
  readonly reason: string
  /** `flapping`, or the operator's name. */
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Milliseconds since the epoch; Infinity is for good. */
  readonly until: number
}

export interface Newcomer {
  readonly clientId: string
  readonly username: string | undefined
  readonly address: string
}

export class Bans {
  /** Connects that were refused. */
  refused = 0
  /** Bans that found no room. */
  overflowed = 0
  maxBans: number
  readonly #bans: Readonly<Record<BanSubject, Map<string, Ban>>> = {
    clientid: new Map(),
    username: new Map(),
    address: new Map(),
  }

  constructor(maxBans: number) {
    this.maxBans = maxBans
  }

  get size(): number {
    return BAN_SUBJECTS.reduce((total, as) => total + this.#bans[as].size, 0)
  }

  /** In the place of an earlier one of the same subject. False when there is no room, which is counted. */
  add(ban: Ban): boolean {
    const bans = this.#bans[ban.as]
    if (!bans.has(ban.who) && this.size >= this.maxBans) {
      this.expire(ban.since)
      if (this.size >= this.maxBans) {
        this.overflowed++
        return false
      }
    }
    bans.set(ban.who, ban)
    return true
  }

  /** False when there was none. */
  remove(as: BanSubject, who: string): boolean {
    return this.#bans[as].delete(who)
  }

  *list(now: number): Generator<Ban, undefined> {
    for (const as of BAN_SUBJECTS) for (const ban of this.#bans[as].values()) if (ban.until > now) yield ban
  }

  /** The ban that keeps the newcomer out, counted; undefined when there is none. */
  refuse({ clientId, username, address }: Newcomer, now: number): Ban | undefined {
    const ban =
      this.#find('clientid', clientId, now) ??
      (username === undefined ? undefined : this.#find('username', username, now)) ??
      this.#find('address', address, now)
    if (ban !== undefined) this.refused++
    return ban
  }

  /** Forgets what is over. */
  expire(now: number): void {
    for (const as of BAN_SUBJECTS) for (const { who, until } of this.#bans[as].values()) if (until <= now) this.remove(as, who)
  }

  #find(as: BanSubject, who: string, now: number): Ban | undefined {
    const bans = this.#bans[as]
    if (bans.size === 0) return undefined
    const ban = bans.get(who)
    if (ban === undefined || ban.until > now) return ban
    bans.delete(who)
    return undefined
  }
}
