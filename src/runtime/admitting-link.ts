/**
 * The part of a session host that asks elsewhere: who may connect, and what services say. What the peer sends meanwhile is
 * parked, and handled when all is answered.
 */
import type { Verdict } from '../auth/access.ts'
import type { ConnectOutcome, ConnectRequest, Session } from '../sdk.ts'
import { Inquiry } from './inquiry.ts'
import { MeteredLink } from './metered-link.ts'
import { Parking } from './parking.ts'

const NOTHING = new Uint8Array(0)

/** There while something is asked, and not answered. */
class Asking {
  connecting = false
  parking: Parking | undefined = undefined
  inquiry: Inquiry | undefined = undefined
  /** A connect that the session asked for before `open` returned it. */
  early: ConnectRequest | undefined = undefined

  get isOver(): boolean {
    return !this.connecting && this.parking === undefined && this.inquiry === undefined && this.early === undefined
  }
}

export abstract class AdmittingLink extends MeteredLink {
  #asking: Asking | undefined = undefined

  /** The session takes what the peer sent. */
  protected abstract handle(bytes: Uint8Array): void
  protected abstract get isBranch(): boolean
  protected abstract readOn(): void

  get connecting(): boolean {
    const asking = this.#asking
    return asking !== undefined && (asking.connecting || (asking.parking?.waits ?? 0) > 0)
  }

  connect(request: ConnectRequest): void {
    if (this.closedBy !== undefined || this.#asking?.connecting === true) return
    const asking = this.beginAsking()
    if ((this.session as Session | undefined) === undefined) {
      asking.early = request
      return
    }
    asking.early = undefined
    asking.connecting = true
    if (this.client !== undefined) this.disconnect(false)
    if (this.isBanned(request)) return this.admit(request, { ok: false, reason: 'banned' })
    this.inquire(request, (verdict) => this.admit(request, verdict))
  }

  respond(data: Uint8Array | undefined): void {
    if (this.closedBy === undefined) this.#asking?.inquiry?.answer(data)
  }

  authenticate(request: ConnectRequest): void {
    if (this.client === undefined || this.#asking?.inquiry !== undefined) return
    this.inquire(request, (verdict) => this.event(() => this.session.onAuthenticated?.(verdict)))
  }

  /** The session is there. */
  protected opened(): void {
    const early = this.#asking?.early
    if (early !== undefined) this.event(() => this.connect(early))
  }

  /** Handles what the peer sent, now or when all is answered. */
  protected take(bytes: Uint8Array): void {
    if (this.closedBy !== undefined) return
    const parking = this.#asking?.parking
    if (parking === undefined) this.handle(bytes)
    else if (!parking.keep(bytes)) this.count('parked-overflow')
  }

  protected override resumeReading(): void {
    if (this.#asking?.parking === undefined) this.readOn()
  }

  protected override park(): (work: () => void) => void {
    const asking = this.beginAsking()
    asking.parking ??= this.startParking()
    const { parking } = asking
    parking.waits++
    return (work) => {
      parking.waits--
      this.event(() => {
        work()
        if (parking.waits === 0) this.unpark()
      })
    }
  }

  protected override yieldTurn(): void {
    if (!this.canWait || this.connecting || this.closedBy !== undefined) return
    const go = this.park()
    this.runtime.shared.fanOut.rest(() => go(() => {}))
  }

  protected forgetParked(): void {
    this.#asking = undefined
  }

  private beginAsking(): Asking {
    this.#asking ??= new Asking()
    return this.#asking
  }

  private endAsking(): void {
    if (this.#asking?.isOver === true) this.#asking = undefined
  }

  private startParking(): Parking {
    // A branch shares its wire with others, who must not wait for it: its session queues its own requests.
    if (!this.isBranch) this.pauseReading()
    return new Parking(this.peer.datagram)
  }

  private unpark(): void {
    const asking = this.#asking
    const parking = asking?.parking
    if (asking !== undefined) asking.parking = undefined
    this.endAsking()
    if (this.isBranch) return
    if (!this.throttled) this.readOn()
    // The empty chunk wakes a framer that stopped in the middle of the chunk with the question.
    this.take(NOTHING)
    for (const bytes of parking?.take() ?? []) this.take(bytes)
  }

  private isBanned({ clientId, username }: ConnectRequest): boolean {
    return this.runtime.shared.bans.refuse({ clientId, username, address: this.peer.address }, this.now()) !== undefined
  }

  private inquire(request: ConnectRequest, decided: (verdict: Verdict) => void): void {
    const { name, shared, log } = this.runtime
    const act = (work: () => void): void => this.event(work)
    const asking = this.beginAsking()
    let go = act
    asking.inquiry = new Inquiry({
      // Who proves itself anew goes on meanwhile.
      wait: () => {
        go = asking.connecting ? this.park() : act
      },
      resume: (work) => go(work),
      challenge: (data) => this.event(() => this.session.onChallenge?.(data)),
      decided: (verdict) => {
        asking.inquiry = undefined
        decided(verdict)
        this.endAsking()
      },
      failed: (error) =>
        log.error({ error: String(error), clientid: request.clientId }, 'authentication failed to answer: refused'),
    })
    asking.inquiry.begin(shared.access, { gateway: name, peer: this.peer, request })
  }

  private admit(request: ConnectRequest, verdict: Verdict): void {
    if (this.#asking !== undefined) this.#asking.connecting = false
    this.endAsking()
    const { runtime } = this
    if (!verdict.ok) {
      this.tellOutcome(verdict)
      return
    }
    const { outcome, client } = runtime.shared.core.attach(runtime, this, request)
    if (client !== undefined) this.adopt(client)
    this.tellOutcome(outcome.ok && verdict.data !== undefined ? { ...outcome, authenticationData: verdict.data } : outcome)
    if (client === undefined || this.client !== client || client.ref !== this) return
    this.subscribeByRule(client)
    runtime.shared.core.resume(client)
  }

  private tellOutcome(outcome: ConnectOutcome): void {
    if (!outcome.ok) {
      const { reason } = outcome
      this.count(`connect-refused-${reason}`)
    }
    this.event(() => this.session.onConnect(outcome))
  }
}
