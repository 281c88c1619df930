/** A resource that tells each observer the same: one text at once, the others one after the other, and then perhaps that it is over. RFC 7641 */
import { INTERNAL_SERVER_ERROR } from '#stacks/coap/codes'
import type { Timed } from '#stacks/coap/deadlines'
import type { Endpoint } from '#stacks/coap/endpoint'
import { type Protect, type Response, refusal } from '#stacks/coap/exchange'
import { DEREGISTER, type Notification, Observation, type ObservationOwner, REGISTER } from '#stacks/coap/observe'
import type { Inquiry } from '#stacks/coap/responder'
import type { PeerObserver, PlugtestPeer } from '../peer.ts'
import { content, type Handler } from './resource.ts'

const STEP_MS = 2000

/** A notification is Confirmable always. */
const CONFIRM_AFTER_MS = 0

/** `end`: the last word, a 5.00. */
export function story(texts: readonly string[], end?: string): Handler {
  const [first = '', ...rest] = texts
  return (inquiry, peer) => {
    const { observe, exchange } = inquiry
    if (observe === REGISTER || observe === DEREGISTER) peer.observers.get(exchange.token)?.cancel()
    if (observe !== REGISTER || peer.observers.size >= peer.maxObservers) inquiry.respond(content(first))
    else new Listener(inquiry, peer, rest, end).begin(first)
  }
}

class Listener implements PeerObserver, ObservationOwner, Timed {
  dueAt = 0
  heapIndex = -1

  readonly token: string
  readonly protect: Protect | undefined
  readonly confirmAfterMs = CONFIRM_AFTER_MS
  readonly confirmEvery = Number.POSITIVE_INFINITY
  readonly observation: Observation
  readonly #inquiry: Inquiry
  readonly #peer: PlugtestPeer
  readonly #rest: string[]
  readonly #end: string | undefined

  constructor(inquiry: Inquiry, peer: PlugtestPeer, rest: readonly string[], end: string | undefined) {
    const { token, protect } = inquiry.exchange
    this.token = token
    this.protect = protect
    this.#inquiry = inquiry
    this.#peer = peer
    this.#rest = [...rest]
    this.#end = end
    this.observation = new Observation(this)
    peer.observers.set(token, this)
  }

  get endpoint(): Endpoint {
    return this.#peer.endpoint
  }

  observationEnded(): void {
    this.#forget()
  }

  begin(text: string): void {
    this.#inquiry.respond(content(text), [this.observation.nextOption()])
    this.observation.start()
    this.#wait()
  }

  onDeadline(): void {
    const text = this.#rest.shift()
    if (text !== undefined) {
      this.observation.offer(notification(content(text)))
      if (this.#rest.length > 0 || this.#end !== undefined) this.#wait()
    } else if (this.#end !== undefined) {
      this.observation.conclude(refusal(INTERNAL_SERVER_ERROR, this.#end), true)
      this.#forget()
    }
  }

  cancel(): void {
    this.observation.cancel()
    this.#forget()
  }

  #wait(): void {
    this.endpoint.deadlines.set(this, this.endpoint.now() + STEP_MS)
  }

  #forget(): void {
    const { observers } = this.#peer
    this.endpoint.deadlines.clear(this)
    if (observers.get(this.token) === this) observers.delete(this.token)
  }
}

function notification(state: Response): Notification {
  return {
    confirmable: true,
    render(sent) {
      sent()
      return state
    },
    settled() {},
  }
}
