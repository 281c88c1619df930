/** Where a client is, and what of it moves when it turns up somewhere else. */
import type { CloseReason, Link, Session } from '#sdk'
import { forgetNap, Kept } from './kept.ts'
import type { Shared } from './shared.ts'

/** MQTT-SN 1.2, 6.14, figure 3; `gone` is a session that has ended here: lost, disconnected, or at another place. */
export type State = 'connecting' | 'active' | 'asleep' | 'awake' | 'gone'

/** Who can have a place. */
export interface Occupant extends Session {
  readonly link: Link
}

/** An address: of a client, or of a forwarder with nodes. */
export interface Place {
  readonly shared: Shared
  /** True when nobody else speaks from there, and the address's link is the client's. */
  isAlone(client: Occupant): boolean
  /** Ends the client's session. */
  end(client: Occupant, reason: CloseReason): void
  /** The client's session has ended. */
  left(client: Occupant): void
  /** True when the client has a link of its own, which can move to another address; else it has that of the address. */
  hasMovable(client: Occupant): boolean
  /** Moves such a client to the address of `to`, link and all. */
  move(client: Occupant, to: Link): void
  /** The client goes on elsewhere with another link; its virtual client is detached already. */
  vacate(client: Occupant): void
}

/** What a client takes along, besides what the broker keeps. */
export interface Luggage {
  readonly state: State
  readonly silenceMs: number
  readonly sleepMs: number
  readonly expiryMs: number
}

/** On everything else the will is published (6.3). A client that was taken over lives, elsewhere. */
const NO_LOSS: ReadonlySet<CloseReason> = new Set<CloseReason>(['disconnected', 'taken-over', 'shutdown'])
/** Whoever ended like this knows, or would not hear it. */
const UNHEARING: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'disconnected',
  'connection-lost',
  'idle',
  'connect-timeout',
  'not-authorized',
])

export function isLoss(reason: CloseReason): boolean {
  return !NO_LOSS.has(reason)
}

/** The client's connection ends; `expiryMs` is how long its session outlives it. */
export function leaveSession(link: Link, reason: CloseReason, isAsleep: boolean, expiryMs: number): void {
  if (link.clientId === undefined) return
  // Who sleeps does not know that we stop: it has until the end of its sleep to find us again.
  const sleepsOn = isAsleep && reason === 'shutdown' && expiryMs > 0
  if (isLoss(reason)) Kept.of(link).announceWill(link, 0)
  if (!sleepsOn) forgetNap(link)
  link.disconnect(sleepsOn || isLoss(reason), expiryMs, reason)
}

export function wantsGoodbye(reason: CloseReason): boolean {
  return !UNHEARING.has(reason)
}
