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

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: ConnectRefusal; readonly message?: string }

export interface Subject {
  readonly id: string
  readonly username: string | undefined
  readonly protocol: string
}

export interface Access {
  /** A rejected promise counts as `unavailable`: a broken source never lets anybody in. */
  authenticate(credentials: Credentials): Verdict | Promise<Verdict>
  /** Absent: everything is allowed. */
  authorize?: (subject: Subject, action: 'publish' | 'subscribe', topic: string) => boolean
}

/** Anonymous access, everything allowed: the default on loopback. */
export const openAccess: Access = { authenticate: () => ({ ok: true }) }
