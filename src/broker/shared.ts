/** A shared subscription group: each message goes to one member (OASIS v5.0 section 4.8.2). */
import type { SharedPolicy } from './port.ts'
import type { Subscription } from './subscription.ts'

export class SharedGroup {
  readonly name: string
  /** The filter without `$share/{group}/`. */
  readonly filter: string
  readonly members: Subscription[] = []
  #cursor = 0
  #favourite: Subscription | undefined = undefined

  constructor(name: string, filter: string) {
    this.name = name
    this.filter = filter
  }

  add(member: Subscription): void {
    member.position = this.members.length
    this.members.push(member)
  }

  remove(member: Subscription): void {
    const at = this.members.indexOf(member)
    if (at < 0) return
    this.members.splice(at, 1)
    if (at < this.#cursor) this.#cursor--
    if (this.#favourite === member) this.#favourite = undefined
  }

  /**
   * The member that takes the next message: a connected one with room, else an absent one whose session has room
   * (unless the message is for the living only), else none. `random` is a number in [0, 1).
   */
  pick(policy: SharedPolicy, random: () => number): Subscription | undefined {
    const count = this.members.length
    if (count === 0) return undefined
    if (policy === 'sticky' && this.#favourite !== undefined && isReady(this.#favourite)) return this.#favourite
    const start = policy === 'random' ? Math.floor(random() * count) : this.#cursor % count
    const chosen = this.#from(start, isReady) ?? this.#from(start, isWaiting)
    if (policy === 'sticky') this.#favourite = chosen
    return chosen
  }

  #from(start: number, suits: (member: Subscription) => boolean): Subscription | undefined {
    const count = this.members.length
    for (let i = 0; i < count; i++) {
      const at = (start + i) % count
      const member = this.members[at] as Subscription
      if (!suits(member)) continue
      this.#cursor = at + 1
      return member
    }
    return undefined
  }
}

function isReady({ client }: Subscription): boolean {
  return client.connected && !client.full
}

function isWaiting({ client, liveOnly }: Subscription): boolean {
  return !client.connected && !liveOnly && !client.full
}
