/**
 * Who wants a topic. Filters without wildcards sit in a hash table, the others (and all shared ones) in a trie; the
 * answer for a hot topic is cached until the set of subscriptions that could change it changes.
 */
import { commandDevice } from '../sdk.ts'
import type { SharedGroup } from './shared.ts'
import type { Subscription } from './subscription.ts'
import { merge } from './subscription.ts'

export interface Match {
  /** One entry per client. */
  readonly subscriptions: readonly Subscription[]
  readonly groups: readonly SharedGroup[] | undefined
  /** The client whose command topic this is. */
  readonly addressee: string | undefined
}

const NOBODY: Match = { subscriptions: [], groups: undefined, addressee: undefined }
/** Cached topics; past it the cache starts anew. Bounds memory, not correctness. */
const CACHE_LIMIT = 65_536

class Node {
  kids: Map<string, Node> | undefined = undefined
  plus: Node | undefined = undefined
  hash: Node | undefined = undefined
  subscriptions: Subscription[] | undefined = undefined
  groups: SharedGroup[] | undefined = undefined

  get empty(): boolean {
    return !this.kids?.size && !this.plus && !this.hash && !this.subscriptions?.length && !this.groups?.length
  }
}

export class SubscriptionTable {
  readonly #exact = new Map<string, Subscription | Subscription[]>()
  readonly #root = new Node()
  readonly #cache = new Map<string, Match>()
  #inTrie = 0
  /** Filters and groups that begin with `$`. */
  #reserved = 0
  #stamp = 0
  size = 0
  /** Subscriptions in groups, among those. */
  shared = 0

  add(subscription: Subscription, filter: string, wildcard: boolean): void {
    this.size++
    if (isReserved(filter)) this.#reserved++
    if (!wildcard) {
      const held = this.#exact.get(filter)
      if (held === undefined) this.#exact.set(filter, subscription)
      else if (Array.isArray(held)) append(held, subscription)
      else {
        const list: Subscription[] = []
        append(list, held)
        append(list, subscription)
        this.#exact.set(filter, list)
      }
      this.#cache.delete(filter)
      return
    }
    const node = this.#grow(filter)
    node.subscriptions ??= []
    append(node.subscriptions, subscription)
    this.#inTrie++
    this.#cache.clear()
  }

  remove(subscription: Subscription, filter: string, wildcard: boolean): void {
    this.size--
    if (isReserved(filter)) this.#reserved--
    if (!wildcard) {
      const held = this.#exact.get(filter)
      if (Array.isArray(held) && held.length > 1) take(held, subscription)
      else this.#exact.delete(filter)
      this.#cache.delete(filter)
      return
    }
    this.#prune(filter, (node) => {
      if (node.subscriptions !== undefined) take(node.subscriptions, subscription)
    })
    this.#inTrie--
    this.#cache.clear()
  }

  /** The group of this name on this filter, made if absent. */
  group(name: string, filter: string, create: (name: string, filter: string) => SharedGroup): SharedGroup {
    const node = this.#grow(filter)
    node.groups ??= []
    let group = node.groups.find((candidate) => candidate.name === name)
    if (group === undefined) {
      group = create(name, filter)
      node.groups.push(group)
      if (isReserved(filter)) this.#reserved++
      this.#inTrie++
      this.#cache.clear()
    }
    return group
  }

  removeGroup(group: SharedGroup): void {
    if (isReserved(group.filter)) this.#reserved--
    this.#prune(group.filter, (node) => {
      node.groups = node.groups?.filter((candidate) => candidate !== group)
    })
    this.#inTrie--
    this.#cache.clear()
  }

  /** True when there is a filter that begins with `$` (behind its `$share` prefix). */
  get hasReserved(): boolean {
    return this.#reserved > 0
  }

  /** Undefined when the topic is not cached: the caller then checks that it is a topic name at all. */
  cached(topic: string): Match | undefined {
    return this.#cache.get(topic)
  }

  match(topic: string): Match {
    const cached = this.#cache.get(topic)
    if (cached !== undefined) return cached
    const match = this.find(topic)
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear()
    this.#cache.set(topic, match)
    return match
  }

  /** Without the cache, for topics that are not asked for again soon. */
  find(topic: string): Match {
    const found: Subscription[] = []
    const groups: SharedGroup[] = []
    const exact = this.#exact.get(topic)
    if (exact !== undefined) {
      if (Array.isArray(exact)) for (const subscription of exact) found.push(subscription)
      else found.push(exact)
    }
    if (this.#inTrie > 0) this.#walk(this.#root, topic.split('/'), 0, isReserved(topic), found, groups)
    const addressee = commandDevice(topic)
    if (found.length === 0 && groups.length === 0 && addressee === undefined) return NOBODY
    return { subscriptions: this.#onePerClient(found), groups: groups.length === 0 ? undefined : groups, addressee }
  }

  /** `reserved`: a leading wildcard does not match a topic that begins with `$` [OASIS 4.7.2-1]. */
  #walk(
    node: Node,
    levels: readonly string[],
    at: number,
    reserved: boolean,
    found: Subscription[],
    groups: SharedGroup[],
  ): void {
    const wild = !(reserved && at === 0)
    if (node.hash !== undefined && wild) collect(node.hash, found, groups)
    if (at === levels.length) {
      collect(node, found, groups)
      return
    }
    const kid = node.kids?.get(levels[at] as string)
    if (kid !== undefined) this.#walk(kid, levels, at + 1, reserved, found, groups)
    if (node.plus !== undefined && wild) this.#walk(node.plus, levels, at + 1, reserved, found, groups)
  }

  #onePerClient(found: Subscription[]): Subscription[] {
    if (found.length < 2) return found
    const stamp = ++this.#stamp
    const single: Subscription[] = []
    let overlaps: Map<number, Subscription[]> | undefined
    for (const subscription of found) {
      const { client } = subscription
      if (client.mark !== stamp) {
        client.mark = stamp
        client.markedAt = single.length
        single.push(subscription)
        continue
      }
      overlaps ??= new Map()
      const parts = overlaps.get(client.markedAt)
      if (parts === undefined) overlaps.set(client.markedAt, [single[client.markedAt] as Subscription, subscription])
      else parts.push(subscription)
    }
    if (overlaps !== undefined) for (const [at, parts] of overlaps) single[at] = merge(parts)
    return single
  }

  #grow(filter: string): Node {
    let node = this.#root
    for (const level of filter.split('/')) {
      if (level === '#') {
        node.hash ??= new Node()
        node = node.hash
      } else if (level === '+') {
        node.plus ??= new Node()
        node = node.plus
      } else {
        node.kids ??= new Map()
        let kid = node.kids.get(level)
        if (kid === undefined) {
          kid = new Node()
          node.kids.set(level, kid)
        }
        node = kid
      }
    }
    return node
  }

  #prune(filter: string, change: (node: Node) => void): void {
    const path: Node[] = [this.#root]
    const levels = filter.split('/')
    for (const level of levels) {
      const node = path[path.length - 1] as Node
      const next = level === '#' ? node.hash : level === '+' ? node.plus : node.kids?.get(level)
      if (next === undefined) return
      path.push(next)
    }
    change(path[path.length - 1] as Node)
    for (let i = levels.length; i > 0 && (path[i] as Node).empty; i--) {
      const parent = path[i - 1] as Node
      const level = levels[i - 1] as string
      if (level === '#') parent.hash = undefined
      else if (level === '+') parent.plus = undefined
      else parent.kids?.delete(level)
    }
  }
}

/** A leading wildcard does not match such topics [OASIS 4.7.2-1]. */
function isReserved(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24
}

function collect(node: Node, found: Subscription[], groups: SharedGroup[]): void {
  if (node.subscriptions !== undefined) for (const subscription of node.subscriptions) found.push(subscription)
  if (node.groups !== undefined) for (const group of node.groups) groups.push(group)
}

function append(list: Subscription[], subscription: Subscription): void {
  subscription.position = list.length
  list.push(subscription)
}

/** Swap with the last: constant time, order among subscribers carries no meaning. */
function take(list: Subscription[], subscription: Subscription): void {
  if (list[subscription.position] !== subscription) return
  const last = list.pop() as Subscription
  if (last === subscription) return
  list[subscription.position] = last
  last.position = subscription.position
}
