/** What a path answers: its methods, and how discovery describes it. */
import type { Link as WebLink } from '#stacks/coap/link-format'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'

/** Answers `call.exchange`, now or later. */
export type OpenHandler = (call: Call) => void
export type ClientHandler = (call: Call, client: CoapClient) => void

/**
 * `open` serves anybody; `client` serves somebody who is logged in, and sees block-wise bodies when they are whole; `guest`
 * serves who names no client id and cannot do without.
 */
export type Method = { readonly open: OpenHandler } | { readonly client: ClientHandler; readonly guest?: OpenHandler }

export interface Resource {
  /** By request code; others get 4.05. */
  readonly methods: ReadonlyMap<number, Method>
  /** The filter that an observation has; blocks of notifications are asked for by plain requests. */
  readonly observed?: (call: Call, client: CoapClient) => string | undefined
  /** How `/.well-known/core` lists it; undefined leaves it out. */
  readonly listed: WebLink | undefined
}
