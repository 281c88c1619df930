/**
 * Binds one pure session to a wire, to time and to the broker: the only place where they meet. What a session must
 * not know is decided here: back-pressure, fault isolation, rebinding, rest.
 */
import type { CloseReason, Delivery, Link, Peer, Session } from '../sdk.ts'
import type { Listener } from '../transport/listener.ts'
import type { TokenBucket } from '../transport/token-bucket.ts'
import type { Wire, WireCloseCause, WireHandler } from '../transport/wire.ts'
import { AdmittingLink } from './admitting-link.ts'
import { allBranches, type Branches, withBranch, withoutBranch } from './branches.ts'
import { reasonOf } from './close-reasons.ts'
import { describeError } from './describe-error.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'
import { THROTTLE_TIMER } from './metered-link.ts'
import { peerName } from './peer-name.ts'
import { armTimer, disarmAll, disarmTimer, hasArmed, type SessionTimers } from './session-timers.ts'

/** In place of a branch's parent: it is not there until something is to be done on the wire. */
const RESTING = Symbol('resting')

/** Where a session comes from: a listener, or another session on the same wire. */
export interface Origin {
  readonly listener?: Listener | undefined
  readonly parent?: SessionHost | undefined
  /** Messages a second that it may publish. */
  readonly rate?: TokenBucket | undefined
}

export class SessionHost extends AdmittingLink implements Link, WireHandler {
  /** Of a session that is no branch: where its wire was accepted. */
  listener: Listener | undefined
  #wire: Wire
  #timers: SessionTimers = undefined
  /** Of a branch: the first session on its wire. */
  #parent: SessionHost | typeof RESTING | undefined
  #branches: Branches<SessionHost> = undefined

  constructor(runtime: GatewayRuntime, wire: Wire, open: (link: Link) => Session, origin: Origin = {}) {
    super(runtime, origin.rate)
    const { parent, listener } = origin
    this.#wire = wire
    this.#parent = parent
    this.listener = listener
    if (parent === undefined) runtime.hosts.add(this)
    runtime.turn.run(() => {
      this.session = open(this)
      this.opened()
    })
  }

  // ---- wire events ---------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    if (this.closedBy !== undefined) return
    if (this.#parent === RESTING) {
      this.wake()
      this.#wire.handler.onBytes(bytes)
      return
    }
    const { runtime } = this
    runtime.counters.bytesIn += bytes.length
    if (this.rate !== undefined && this.#wire.peer.datagram && !this.rate.take(1, runtime.turn.time())) {
      this.count('rate-limited')
      return
    }
    this.take(bytes)
  }

  onDrain(): void {
    this.drained()
    for (const branch of allBranches(this.#branches)) branch.drained()
  }

  onClosed(cause: WireCloseCause, error?: Error): void {
    if (error !== undefined) this.runtime.log.debug({ peer: peerName(this.peer), error: error.message }, 'connection failed')
    this.close(reasonOf(cause))
  }

  /** A silent datagram peer is kept while it stands for a client: its session knows when that ends. */
  onIdle(): boolean {
    return this.client !== undefined || this.connecting || this.#branches !== undefined
  }

  onWheelTimer(timer: number): void {
    if (this.closedBy !== undefined) return
    if (timer === THROTTLE_TIMER) {
      this.unthrottle()
      return
    }
    this.event(() => this.session.onTimer(timer))
  }

  // ---- broker events -------------------------------------------------------------------------------------------

  /** False is busy: the wire is full. */
  deliver(delivery: Delivery): boolean {
    if (this.closedBy !== undefined) return false
    if (this.#wire.congested) {
      this.congested = true
      this.count('congested')
      return false
    }
    const { runtime } = this
    runtime.counters.messagesOut++
    runtime.counters.payloadOut += delivery.message.size
    runtime.turn.enter()
    try {
      this.session.onDeliver(this.mount === undefined ? delivery : this.mount.delivery(delivery))
    } catch (error) {
      this.fault(error)
    } finally {
      runtime.turn.leave()
    }
    return true
  }

  // ---- Link ----------------------------------------------------------------------------------------------------

  get peer(): Peer {
    return this.#wire.peer
  }

  send(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.closedBy !== undefined) return
    this.runtime.counters.bytesOut += end - start
    this.#wire.send(bytes, start, end)
  }

  close(reason: CloseReason): void {
    this.event(() => this.finish(reason))
  }

  arm(timer: number, delayMs: number): void {
    if (this.closedBy !== undefined) return
    this.#timers = armTimer(this.#timers, this.runtime.shared.wheel, this, timer, delayMs)
  }

  protected override isArmed(timer: number): boolean {
    return hasArmed(this.#timers, timer)
  }

  disarm(timer: number): void {
    this.#timers = disarmTimer(this.#timers, this.runtime.shared.wheel, timer)
  }

  branch(open: (link: Link) => Session): Session {
    this.runtime.counters.sessions++
    const host = new SessionHost(this.runtime, this.#wire, open, { parent: this })
    this.#branches = withBranch(this.#branches, host)
    return host.session
  }

  rest(): boolean {
    const { runtime, client, closedBy } = this
    const branch = this.#branches
    const isBusy = client !== undefined || this.connecting || closedBy !== undefined || this.#parent !== undefined
    if (isBusy || !(branch instanceof SessionHost) || !this.peer.datagram) return false
    disarmAll(this.#timers, runtime.shared.wheel)
    this.closedBy = 'idle'
    branch.#parent = RESTING
    branch.listener = this.listener
    branch.rate = this.rate
    this.#wire.handler = branch
    runtime.hosts.delete(this)
    runtime.hosts.add(branch)
    return true
  }

  wake(): void {
    if (this.#parent !== RESTING) return
    this.event(() => {
      const { runtime, listener, rate } = this
      const parent = new SessionHost(runtime, this.#wire, runtime.open, { listener, rate })
      parent.#branches = this
      this.#parent = parent
      this.#wire.handler = parent
      runtime.hosts.delete(this)
      this.session.onWake?.(parent.session)
    })
  }

  moveTo(to: Link): void {
    const target = (to as SessionHost).root()
    const parent = this.#parent
    if (
      parent === undefined ||
      parent === RESTING ||
      this.closedBy !== undefined ||
      target === parent ||
      target.closedBy !== undefined
    )
      return
    parent.#branches = withoutBranch(parent.#branches, this)
    this.#parent = target
    this.#wire = target.#wire
    target.#branches = withBranch(target.#branches, this)
    this.count('moved')
  }

  yieldTo(owner: Link): void {
    const heir = owner as SessionHost
    if (this.closedBy !== undefined || heir.closedBy !== undefined || heir === this || this.#parent !== undefined) return
    const old = heir.#wire
    heir.#wire = this.#wire
    heir.#wire.handler = heir
    heir.listener = this.listener
    for (const branch of allBranches(heir.#branches)) branch.#wire = heir.#wire
    const { turn } = this.runtime
    const bytes = turn.host === this ? turn.bytes : undefined
    this.closedBy = 'disconnected'
    this.detach('disconnected', false)
    disarmAll(this.#timers, this.runtime.shared.wheel)
    this.runtime.hosts.delete(this)
    old.handler = ABANDONED
    old.destroy()
    heir.count('rebound')
    if (bytes !== undefined) heir.onBytes(bytes)
  }

  // ---- for the runtime -----------------------------------------------------------------------------------------

  describe(): Readonly<Record<string, unknown>> {
    return this.session.describe?.() ?? {}
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  protected override handle(bytes: Uint8Array): void {
    const { turn } = this.runtime
    turn.enter()
    turn.host = this
    turn.bytes = bytes
    try {
      this.session.onBytes(bytes)
    } catch (error) {
      this.fault(error)
    } finally {
      turn.host = undefined
      turn.bytes = undefined
      turn.leave()
    }
  }

  protected override get canWait(): boolean {
    return !this.peer.datagram && !this.isBranch
  }

  protected override get isBranch(): boolean {
    return this.#parent !== undefined
  }

  protected override pauseReading(): void {
    this.#wire.pause()
  }

  protected override readOn(): void {
    this.#wire.resume()
  }

  protected override event(work: () => void): void {
    if (this.closedBy !== undefined) return
    const { turn } = this.runtime
    turn.enter()
    try {
      work()
    } catch (error) {
      this.fault(error)
    } finally {
      turn.leave()
    }
  }

  private drained(): void {
    if (!this.congested) return
    this.congested = false
    const { client } = this
    if (client === undefined || this.holding || this.closedBy !== undefined) return
    this.event(() => this.runtime.shared.core.release(client))
  }

  private finish(reason: CloseReason): void {
    const { counters, hosts } = this.runtime
    for (const branch of allBranches(this.#branches)) branch.close(reason)
    if (this.closedBy !== undefined) return
    // What waits in the queue is not offered to a session that is on its way out.
    this.hold()
    try {
      this.session.onClose(reason)
    } catch (error) {
      counters.faults++
      this.runtime.log.error({ error: describeError(error) }, 'a session failed while it closed')
    }
    if (this.closedBy !== undefined) return
    this.closedBy = reason
    counters.add(counters.closed, reason)
    disarmAll(this.#timers, this.runtime.shared.wheel)
    this.detach(reason, reason === 'shutdown' ? this.runtime.shared.willOnShutdown : reason !== 'disconnected')
    this.forgetParked()
    if (this.#parent === undefined || this.#parent === RESTING) {
      hosts.delete(this)
      this.#wire.close()
    } else {
      this.#parent.#branches = withoutBranch(this.#parent.#branches, this)
    }
  }

  private fault(error: unknown): void {
    this.runtime.counters.faults++
    const fields = { peer: peerName(this.peer), clientid: this.clientId, error: describeError(error) }
    this.runtime.log.error(fields, 'a session failed and was closed; the others go on')
    this.close('session-fault')
  }

  private root(): SessionHost {
    return this.#parent === undefined || this.#parent === RESTING ? this : this.#parent.root()
  }
}

/** Stands on a wire whose session moved elsewhere. */
const ABANDONED: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} }
