/**
 * Who speaks from one address: a client of its own, on the address's link, and the nodes behind it if it is a forwarder,
 * each on a branch. An address from which nobody speaks any more is not remembered.
 */
import type {
  AuthenticationOutcome,
  CloseReason,
  ConnectOutcome,
  Delivery,
  Link,
  PublishOutcome,
  Session,
  SubscribeOutcome,
} from '#sdk'
import type { Occupant, Place } from './place.ts'
import type { Shared } from './shared.ts'

/** Has the events of a session but for the datagrams, which are read before it is known whose they are. */
export type Sitter = Occupant & { onTimer(timer: number): void } & Omit<Session, 'onBytes' | 'onTimer'>

export abstract class Seats<C extends Sitter> implements Place, Session {
  readonly shared: Shared
  protected readonly link: Link
  #client: C | undefined = undefined
  /** By node id in hex. */
  #nodes: Map<string, C> | undefined = undefined
  /** Branches that are no clients. */
  guests = 0
  /** Busy while a datagram is being handled: who leaves now may make room for somebody else. */
  protected condition: 'idle' | 'busy' | 'closed' = 'idle'

  constructor(shared: Shared, link: Link) {
    this.shared = shared
    this.link = link
  }

  get client(): C | undefined {
    return this.#client
  }

  get nodes(): number {
    return this.#nodes?.size ?? 0
  }

  get isEmpty(): boolean {
    return this.#client === undefined && this.guests === 0 && this.nodes === 0
  }

  abstract onBytes(bytes: Uint8Array): void

  /** Undefined is the address itself. */
  at(node: string | undefined): C | undefined {
    return node === undefined ? this.#client : this.#nodes?.get(node)
  }

  put(client: C, node: string | undefined): void {
    if (node === undefined) {
      this.#client = client
      return
    }
    this.#nodes ??= new Map()
    this.#nodes.set(node, client)
  }

  /** Somebody else speaks from where this client was: it is lost, but its place is not. */
  displace(client: C): void {
    if (client.link !== this.link) client.link.close('connection-lost')
    else client.onClose('connection-lost')
  }

  leaveIfEmpty(): void {
    if (this.condition === 'idle' && this.isEmpty) this.link.close('disconnected')
  }

  // ---- the client's events, which come to the owner of the link ------------------------------------------------

  onTimer(timer: number): void {
    this.#client?.onTimer(timer)
  }

  onConnect(outcome: ConnectOutcome): void {
    this.#client?.onConnect(outcome)
  }

  onChallenge(data: Uint8Array | undefined): void {
    this.#client?.onChallenge?.(data)
  }

  onAuthenticated(outcome: AuthenticationOutcome): void {
    this.#client?.onAuthenticated?.(outcome)
  }

  onDeliver(delivery: Delivery): void {
    this.#client?.onDeliver(delivery)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    this.#client?.onPublished?.(tag, outcome)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.#client?.onSubscribed?.(tag, outcome)
  }

  onClose(reason: CloseReason): void {
    this.condition = 'closed'
    this.#client?.onClose(reason)
  }

  describe(): Readonly<Record<string, unknown>> {
    return { ...this.#client?.describe?.(), nodes: this.nodes }
  }

  // ---- Place ---------------------------------------------------------------------------------------------------

  isAlone(client: Occupant): boolean {
    return this.#client === client && client.link === this.link && this.guests === 0 && this.nodes === 0
  }

  end(client: Occupant, reason: CloseReason): void {
    if (client.link !== this.link) client.link.close(reason)
    else if (this.isAlone(client)) this.link.close(reason)
    else {
      client.onClose(reason)
      this.leaveIfEmpty()
    }
  }

  left(client: Occupant): void {
    this.forget(client)
    if (client.link !== this.link) this.leaveIfEmpty()
  }

  hasMovable(client: Occupant): boolean {
    return client.link !== this.link
  }

  move(client: Occupant, to: Link): void {
    this.forget(client)
    client.link.moveTo(to)
    this.leaveIfEmpty()
  }

  vacate(client: Occupant): void {
    this.forget(client)
    this.leaveIfEmpty()
  }

  protected forget(client: Occupant): void {
    if (this.#client === client) this.#client = undefined
    else if (this.#nodes !== undefined) {
      for (const [node, each] of this.#nodes) if (each === client) this.#nodes.delete(node)
    }
  }
}
