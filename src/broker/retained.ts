/** Retained messages by topic, in a trie of levels, so that a filter visits only the branches that it can match. */
import type { Message } from '../sdk.ts'

class Node {
  kids: Map<string, Node> | undefined = undefined
  message: Message | undefined = undefined
}

export class RetainedStore {
  readonly #root = new Node()
  size = 0
  bytes = 0

  get(topic: string, now: number): Message | undefined {
    let node: Node | undefined = this.#root
    for (const level of topic.split('/')) {
      node = node.kids?.get(level)
      if (node === undefined) return undefined
    }
    const { message } = node
    if (message === undefined || message.expiresAt === 0 || message.expiresAt > now) return message
    this.delete(topic)
    return undefined
  }

  set(message: Message): void {
    let node = this.#root
    for (const level of message.topic.split('/')) {
      node.kids ??= new Map()
      let kid = node.kids.get(level)
      if (kid === undefined) {
        kid = new Node()
        node.kids.set(level, kid)
      }
      node = kid
    }
    if (node.message === undefined) this.size++
    else this.bytes -= node.message.size
    node.message = message
    this.bytes += message.size
  }

  /** True when there was one. */
  delete(topic: string): boolean {
    const levels = topic.split('/')
    const path: Node[] = [this.#root]
    for (const level of levels) {
      const next = (path[path.length - 1] as Node).kids?.get(level)
      if (next === undefined) return false
      path.push(next)
    }
    const leaf = path[path.length - 1] as Node
    if (leaf.message === undefined) return false
    this.size--
    this.bytes -= leaf.message.size
    leaf.message = undefined
    for (let i = levels.length; i > 0; i--) {
      const node = path[i] as Node
      if (node.message !== undefined || (node.kids?.size ?? 0) > 0) break
      ;(path[i - 1] as Node).kids?.delete(levels[i - 1] as string)
    }
    return true
  }

  /** Every topic, those that begin with `$` too. Survives changes in between. */
  all(now: () => number): Iterator<Message> {
    return this.#all(this.#root, false, now)
  }

  /** Lazily: a replay of a million messages is pulled as the receiver takes them. Survives changes in between. */
  match(filter: string, now: () => number): Iterator<Message> {
    return this.#walk(this.#root, filter.split('/'), 0, now)
  }

  *#walk(node: Node, levels: readonly string[], at: number, now: () => number): Generator<Message, undefined> {
    if (at === levels.length) {
      const { message } = node
      if (message === undefined) return
      if (message.expiresAt === 0 || message.expiresAt > now()) yield message
      else this.delete(message.topic)
      return
    }
    const level = levels[at] as string
    if (level === '#') {
      yield* this.#all(node, at === 0, now)
      return
    }
    if (level !== '+') {
      const kid = node.kids?.get(level)
      if (kid !== undefined) yield* this.#walk(kid, levels, at + 1, now)
      return
    }
    if (node.kids === undefined) return
    for (const [name, kid] of node.kids) {
      if (at === 0 && name.charCodeAt(0) === 0x24) continue // [OASIS 4.7.2-1]
      yield* this.#walk(kid, levels, at + 1, now)
    }
  }

  *#all(node: Node, top: boolean, now: () => number): Generator<Message, undefined> {
    const { message } = node
    if (message !== undefined) {
      if (message.expiresAt === 0 || message.expiresAt > now()) yield message
      else this.delete(message.topic)
    }
    if (node.kids === undefined) return
    for (const [name, kid] of node.kids) {
      if (top && name.charCodeAt(0) === 0x24) continue
      yield* this.#all(kid, false, now)
    }
  }
}
