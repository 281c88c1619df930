/**
 * Who may connect and do what: the seam where an authentication chain and an ACL attach. Authentication may take its
 * time (a database, an HTTP service); authorisation sits on the data path and must answer at once.
 */
import type { ConnectRefusal, ConnectRequest, Peer } from '../sdk.ts'

export interface Credentials {
  /** Gateway instance that the client connects through. */
  readonly gateway: string
  readonly peer: Peer
  readonly request: ConnectRequest
}

export type Verdict =
  /** `data` is the last word of an authentication method, for the client. */
  | { readonly ok: true; readonly data?: Uint8Array }
  | { readonly ok: false; readonly reason: ConnectRefusal; readonly message?: string }

/** An authentication method wants to know more: `data` goes to the client, `answer` takes what it says. */
export interface Challenge {
  readonly data: Uint8Array | undefined
  answer(data: Uint8Array | undefined): Step | Promise<Step>
}

export type Step = Verdict | Challenge

export interface Subject {
  readonly id: string
  readonly username: string | undefined
  readonly protocol: string
}

export interface Access {
  /** A rejected promise counts as `unavailable`: a broken source never lets anybody in. */
  authenticate(credentials: Credentials): Verdict | Promise<Verdict>
  /**
   * Begins the authentication by `request.authentication`, of a new client or, anew, of one that is connected. Undefined
   * for a method that is not known; absent where none is. `authenticate` is not asked about such a client.
   */
  exchange?(credentials: Credentials): Step | Promise<Step> | undefined
  /** Absent: everything is allowed. */
  authorize?: (subject: Subject, action: 'publish' | 'subscribe', topic: string) => boolean
}

/** Anonymous access, everything allowed: the default on loopback. */
export const openAccess: Access = { authenticate: () => ({ ok: true }) }
