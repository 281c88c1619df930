/** Who may become a client of the broker at all, whatever its credentials. */
import type { ConnectOutcome, ConnectRequest } from '../sdk.ts'
import type { Client } from './client.ts'
import type { Journal } from './journal.ts'
import type { CoreLimits, Port } from './port.ts'
import type { TopicPolicy } from './topic-policy.ts'

const TOO_LONG: ConnectOutcome = { ok: false, reason: 'bad-client-id', message: 'the client id is too long' }
const NO_SESSION: ConnectOutcome = { ok: false, reason: 'bad-client-id', message: 'no session waits for this client' }
const NOT_STORED: ConnectOutcome = { ok: false, reason: 'unavailable', message: 'the session could not be stored' }
const NO_ONE: ConnectOutcome = { ok: false, reason: 'quota', message: 'the broker holds its maximum of clients' }

export class Admission {
  readonly #policy: TopicPolicy
  readonly #limits: CoreLimits
  readonly #clients: ReadonlyMap<string, Client>
  readonly #journal: Journal | undefined

  constructor(policy: TopicPolicy, limits: CoreLimits, clients: ReadonlyMap<string, Client>, journal: Journal | undefined) {
    this.#policy = policy
    this.#limits = limits
    this.#clients = clients
    this.#journal = journal
  }

  /** What speaks against it; undefined when nothing does. */
  refusal(id: string, request: ConnectRequest, port: Port): ConnectOutcome | undefined {
    if (!this.#policy.isClientId(id)) return TOO_LONG
    const held = this.#clients.get(id)
    if (request.resumeOnly === true && (held === undefined || held.connected || !held.isOf(port, request))) {
      return NO_SESSION
    }
    if (request.expiryMs > 0 && this.#journal?.ready === false) return NOT_STORED
    return held === undefined && this.#clients.size >= this.#limits.maxClients ? NO_ONE : undefined
  }
}
