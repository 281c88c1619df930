/**
 * Retained messages by topic, in a tree of levels, so that a filter visits only the branches that it can match. A branch
 * that holds one message is the message itself: most topics differ from all others before their last level.
 */
import type { Message } from '../sdk.ts'
import { topicMatches } from '../sdk.ts'
import { Levels } from './levels.ts'
import { MessageAtRest } from './message-at-rest.ts'

/** What stands under a level: the only message there, whatever levels follow, or a node. */
type Branch = Node | MessageAtRest

class Node {
  kids: Levels<Branch> | undefined = undefined
  message: MessageAtRest | undefined = undefined

  put(level: string, branch: Branch): void {
    this.kids ??= new Levels()
    this.kids.set(level, branch)
  }
}

/** Branches that a search looks at, before it says that it goes on. */
const STRIDE = 32

export class RetainedStore {
  readonly #root = new Node()
  size = 0
  bytes = 0

  get(topic: string, now: number): Message | undefined {
    const message = this.#find(topic)
    return message !== undefined && this.#isThere(message, now) ? message.retained() : undefined
  }

  set(retained: Message): void {
    const message = new MessageAtRest(retained)
    const { topic } = message
    const levels = topic.split('/')
    let node = this.#root
    for (let at = 0; at < levels.length; at++) {
      const level = levels[at] as string
      const branch = node.kids?.get(level)
      if (branch === undefined || (!(branch instanceof Node) && branch.topic === topic)) {
        this.#count(message, branch)
        node.put(level, message)
        return
      }
      if (branch instanceof Node) {
        node = branch
        continue
      }
      const fork = new Node()
      const next = branch.topic.split('/')[at + 1]
      if (next === undefined) fork.message = branch
      else fork.put(next, branch)
      node.put(level, fork)
      node = fork
    }
    this.#count(message, node.message)
    node.message = message
  }

  /** True when there was one. */
  delete(topic: string): boolean {
    const levels = topic.split('/')
    const path: Node[] = [this.#root]
    for (const level of levels) {
      const node = path[path.length - 1] as Node
      const branch = node.kids?.get(level)
      if (branch instanceof Node) {
        path.push(branch)
        continue
      }
      if (branch?.topic !== topic) return false
      this.#uncount(branch)
      node.kids?.delete(level)
      prune(path, levels)
      return true
    }
    const leaf = path[path.length - 1] as Node
    if (leaf.message === undefined) return false
    this.#uncount(leaf.message)
    leaf.message = undefined
    prune(path, levels)
    return true
  }

  /** Every topic, those that begin with `$` too. Survives changes in between. */
  *all(now: () => number): Generator<Message, undefined> {
    for (const message of this.#all(this.#root, false)) if (this.#isThere(message, now())) yield message.retained()
  }

  /**
   * Lazily: a replay of a million messages is pulled as the receiver takes them. Now and then `undefined`, where nothing
   * matched for a while, so that whoever pulls may rest. Survives changes in between.
   */
  *match(filter: string, now: () => number): Generator<Message | undefined, undefined> {
    let silent = 0
    for (const message of this.#walk(this.#root, filter, filter.split('/'), 0)) {
      if (message !== undefined && this.#isThere(message, now())) {
        silent = 0
        yield message.retained()
      } else if (++silent % STRIDE === 0) yield undefined
    }
  }

  /** Those that match, and `undefined` for each branch that does not. */
  *#walk(node: Node, filter: string, levels: readonly string[], at: number): Generator<MessageAtRest | undefined, undefined> {
    if (at === levels.length) {
      yield node.message
      return
    }
    const level = levels[at] as string
    if (level === '#') {
      yield* this.#all(node, at === 0)
      return
    }
    if (level !== '+') {
      const branch = node.kids?.get(level)
      if (branch !== undefined) yield* this.#walkBranch(branch, filter, levels, at + 1)
      return
    }
    if (node.kids === undefined) return
    for (const [name, branch] of node.kids.entries()) {
      if (at === 0 && name.charCodeAt(0) === 0x24) continue // [OASIS 4.7.2-1]
      yield* this.#walkBranch(branch, filter, levels, at + 1)
    }
  }

  *#walkBranch(
    branch: Branch,
    filter: string,
    levels: readonly string[],
    at: number,
  ): Generator<MessageAtRest | undefined, undefined> {
    if (branch instanceof Node) yield* this.#walk(branch, filter, levels, at)
    else yield topicMatches(filter, branch.topic) ? branch : undefined
  }

  *#all(node: Node, top: boolean): Generator<MessageAtRest, undefined> {
    if (node.message !== undefined) yield node.message
    if (node.kids === undefined) return
    for (const [name, branch] of node.kids.entries()) {
      if (top && name.charCodeAt(0) === 0x24) continue
      if (branch instanceof Node) yield* this.#all(branch, false)
      else yield branch
    }
  }

  #find(topic: string): MessageAtRest | undefined {
    let node = this.#root
    for (const level of topic.split('/')) {
      const branch = node.kids?.get(level)
      if (branch === undefined) return undefined
      if (!(branch instanceof Node)) return branch.topic === topic ? branch : undefined
      node = branch
    }
    return node.message
  }

  /** False when it has expired, and goes. */
  #isThere(message: MessageAtRest, now: number): boolean {
    const { expiresAt } = message
    if (expiresAt === 0 || expiresAt > now) return true
    if (this.#find(message.topic) === message) this.delete(message.topic)
    return false
  }

  #count(message: MessageAtRest, replaced: MessageAtRest | undefined): void {
    if (replaced !== undefined) this.#uncount(replaced)
    this.size++
    this.bytes += message.size
  }

  #uncount(message: MessageAtRest): void {
    this.size--
    this.bytes -= message.size
  }
}

/** Takes away the nodes at the end of the path that hold nothing any more. */
function prune(path: readonly Node[], levels: readonly string[]): void {
  for (let i = path.length - 1; i > 0; i--) {
    const node = path[i] as Node
    if (node.message !== undefined || (node.kids?.size ?? 0) > 0) return
    ;(path[i - 1] as Node).kids?.delete(levels[i - 1] as string)
  }
}
