/**
 * Binds one pure session to a wire, to time and to the broker: the only place where they meet. What a session must
 * not know is decided here: parking of early bytes, back-pressure, fault isolation, rebinding, limits.
 */
import type { Verdict } from '../auth/access.ts'
import type { CloseReason, ConnectOutcome, ConnectRequest, Delivery, Link, Peer, Session } from '../sdk.ts'
import type { Listener } from '../transport/listener.ts'
import type { TokenBucket } from '../transport/token-bucket.ts'
import type { Wire, WireCloseCause, WireHandler } from '../transport/wire.ts'
import { allBranches, type Branches, withBranch, withoutBranch } from './branches.ts'
import { reasonOf } from './close-reasons.ts'
import { describeError } from './describe-error.ts'
import type { GatewayRuntime } from './gateway-runtime.ts'
import { Inquiry } from './inquiry.ts'
import { MeteredLink, THROTTLE_TIMER } from './metered-link.ts'
import { Parking } from './parking.ts'
import { peerName } from './peer-name.ts'
import { armTimer, disarmAll, disarmTimer, type SessionTimers } from './session-timers.ts'

const NOTHING = new Uint8Array(0)

/** Where a session comes from: a listener, or another session on the same wire. */
export interface Origin {
  readonly listener?: Listener | undefined
  readonly parent?: SessionHost | undefined
  /** Messages a second that it may publish. */
  readonly rate?: TokenBucket | undefined
}

export class SessionHost extends MeteredLink implements Link, WireHandler {
  /** Of a session that is no branch: where its wire was accepted. */
  listener: Listener | undefined
  #wire: Wire
  #connecting = false
  #timers: SessionTimers = undefined
  /** While something has been asked elsewhere and not been answered. */
  #parking: Parking | undefined = undefined
  #inquiry: Inquiry | undefined = undefined
  #parent: SessionHost | undefined
  #branches: Branches<SessionHost> = undefined
  #current: Uint8Array | undefined = undefined
  /** A connect that the session asked for before `open` returned it. */
  #early: ConnectRequest | undefined = undefined

  constructor(runtime: GatewayRuntime, wire: Wire, open: (link: Link) => Session, origin: Origin = {}) {
    super(runtime, origin.rate)
    const { parent, listener } = origin
    this.#wire = wire
    this.#parent = parent
    this.listener = listener
    runtime.counters.sessions++
    if (parent === undefined) runtime.hosts.add(this)
    runtime.turn.run(() => {
      this.session = open(this)
      const early = this.#early
      if (early !== undefined) this.event(() => this.connect(early))
    })
  }

  // ---- wire events ---------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    if (this.closedBy !== undefined) return
    const { runtime } = this
    runtime.counters.bytesIn += bytes.length
    if (this.rate !== undefined && this.#wire.peer.datagram && !this.rate.take(1, runtime.turn.time())) {
      this.count('rate-limited')
      return
    }
    this.#take(bytes)
  }

  onDrain(): void {
    this.#drained()
    for (const branch of allBranches(this.#branches)) branch.#drained()
  }

  onClosed(cause: WireCloseCause, error?: Error): void {
    if (error !== undefined) this.runtime.log.debug({ peer: peerName(this.peer), error: error.message }, 'connection failed')
    this.close(reasonOf(cause))
  }

  /** A silent datagram peer is kept while it stands for a client: its session knows when that ends. */
  onIdle(): boolean {
    return this.client !== undefined || this.#connecting || this.#branches !== undefined
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
      this.#fault(error)
    } finally {
      runtime.turn.leave()
    }
    return true
  }

  // ---- Link ----------------------------------------------------------------------------------------------------

  get peer(): Peer {
    return this.#wire.peer
  }

  get connecting(): boolean {
    return this.#connecting || (this.#parking?.waits ?? 0) > 0
  }

  send(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.closedBy !== undefined) return
    this.runtime.counters.bytesOut += end - start
    this.#wire.send(bytes, start, end)
  }

  close(reason: CloseReason): void {
    this.event(() => this.#finish(reason))
  }

  arm(timer: number, delayMs: number): void {
    if (this.closedBy !== undefined) return
    this.#timers = armTimer(this.#timers, this.runtime.shared.wheel, this, timer, delayMs)
  }

  disarm(timer: number): void {
    this.#timers = disarmTimer(this.#timers, this.runtime.shared.wheel, timer)
  }

  connect(request: ConnectRequest): void {
    if (this.closedBy !== undefined || this.#connecting) return
    if ((this.session as Session | undefined) === undefined) {
      this.#early = request
      return
    }
    this.#early = undefined
    if (this.client !== undefined) this.disconnect(false)
    this.#connecting = true
    if (this.#isBanned(request)) return this.#admit(request, { ok: false, reason: 'banned' })
    this.#ask(request, (verdict) => this.#admit(request, verdict))
  }

  respond(data: Uint8Array | undefined): void {
    if (this.closedBy === undefined) this.#inquiry?.answer(data)
  }

  authenticate(request: ConnectRequest): void {
    if (this.client === undefined || this.#inquiry !== undefined) return
    this.#ask(request, (verdict) => this.event(() => this.session.onAuthenticated?.(verdict)))
  }

  branch(open: (link: Link) => Session): Session {
    const host = new SessionHost(this.runtime, this.#wire, open, { parent: this })
    this.#branches = withBranch(this.#branches, host)
    return host.session
  }

  moveTo(to: Link): void {
    const target = (to as SessionHost).#root()
    const parent = this.#parent
    if (parent === undefined || this.closedBy !== undefined || target === parent || target.closedBy !== undefined) return
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
    const bytes = this.#current
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

  #take(bytes: Uint8Array): void {
    if (this.closedBy !== undefined) return
    if (this.#parking === undefined) this.#handle(bytes)
    else if (!this.#parking.keep(bytes)) this.count('parked-overflow')
  }

  #handle(bytes: Uint8Array): void {
    const { turn } = this.runtime
    turn.enter()
    this.#current = bytes
    try {
      this.session.onBytes(bytes)
    } catch (error) {
      this.#fault(error)
    } finally {
      this.#current = undefined
      turn.leave()
    }
  }

  protected override get canWait(): boolean {
    return !this.peer.datagram && this.#parent === undefined
  }

  protected override pauseReading(): void {
    this.#wire.pause()
  }

  protected override resumeReading(): void {
    if (this.#parking === undefined) this.#wire.resume()
  }

  #isBanned({ clientId, username }: ConnectRequest): boolean {
    return this.runtime.shared.bans.refuse({ clientId, username, address: this.peer.address }, this.now()) !== undefined
  }

  #ask(request: ConnectRequest, decided: (verdict: Verdict) => void): void {
    const { name, shared, log } = this.runtime
    const act = (work: () => void): void => this.event(work)
    let go = act
    this.#inquiry = new Inquiry({
      // Who proves itself anew goes on meanwhile.
      wait: () => {
        go = this.#connecting ? this.park() : act
      },
      resume: (work) => go(work),
      challenge: (data) => this.event(() => this.session.onChallenge?.(data)),
      decided: (verdict) => {
        this.#inquiry = undefined
        decided(verdict)
      },
      failed: (error) =>
        log.error({ error: String(error), clientid: request.clientId }, 'authentication failed to answer: refused'),
    })
    this.#inquiry.begin(shared.access, { gateway: name, peer: this.peer, request })
  }

  protected override event(work: () => void): void {
    if (this.closedBy !== undefined) return
    const { turn } = this.runtime
    turn.enter()
    try {
      work()
    } catch (error) {
      this.#fault(error)
    } finally {
      turn.leave()
    }
  }

  protected override park(): (work: () => void) => void {
    const wire = this.#wire
    const parking = this.#parking ?? this.#startParking(wire)
    parking.waits++
    return (work) => {
      parking.waits--
      this.event(() => {
        work()
        if (parking.waits === 0) this.#unpark(wire)
      })
    }
  }

  #startParking(wire: Wire): Parking {
    this.#parking = new Parking(this.peer.datagram)
    // A branch shares its wire with others, who must not wait for it: its session queues its own requests.
    if (this.#parent === undefined) wire.pause()
    return this.#parking
  }

  #unpark(wire: Wire): void {
    const parking = this.#parking
    this.#parking = undefined
    if (this.#parent !== undefined) return
    if (!this.throttled) wire.resume()
    // The empty chunk wakes a framer that stopped in the middle of the chunk with the question.
    this.#take(NOTHING)
    for (const bytes of parking?.take() ?? []) this.#take(bytes)
  }

  #admit(request: ConnectRequest, verdict: Verdict): void {
    this.#connecting = false
    const { runtime } = this
    if (!verdict.ok) {
      this.#answer(verdict)
      return
    }
    const { outcome, client } = runtime.shared.core.attach(runtime, this, request)
    if (client !== undefined) this.adopt(client)
    this.#answer(outcome.ok && verdict.data !== undefined ? { ...outcome, authenticationData: verdict.data } : outcome)
    if (client === undefined || this.client !== client || client.ref !== this) return
    this.subscribeByRule(client)
    runtime.shared.core.resume(client)
  }

  #answer(outcome: ConnectOutcome): void {
    if (!outcome.ok) {
      const { reason } = outcome
      this.count(`connect-refused-${reason}`)
    }
    this.event(() => this.session.onConnect(outcome))
  }

  #drained(): void {
    if (!this.congested) return
    this.congested = false
    const { client } = this
    if (client === undefined || this.holding || this.closedBy !== undefined) return
    this.event(() => this.runtime.shared.core.release(client))
  }

  #finish(reason: CloseReason): void {
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
    this.#parking = undefined
    if (this.#parent === undefined) {
      hosts.delete(this)
      this.#wire.close()
    } else {
      this.#parent.#branches = withoutBranch(this.#parent.#branches, this)
    }
  }

  #fault(error: unknown): void {
    this.runtime.counters.faults++
    const fields = { peer: peerName(this.peer), clientid: this.clientId, error: describeError(error) }
    this.runtime.log.error(fields, 'a session failed and was closed; the others go on')
    this.close('session-fault')
  }

  #root(): SessionHost {
    return this.#parent === undefined ? this : this.#parent.#root()
  }
}

/** Stands on a wire whose session moved elsewhere. */
const ABANDONED: WireHandler = { onBytes() {}, onDrain() {}, onClosed() {} }
