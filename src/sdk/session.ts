/**
 * The contract between a protocol session and the world. Events in, `Link` calls out: no promise, clock, socket
 * or logger on either side, so that a session runs the same on a socket, in virtual time and under a fuzzer.
 */
import type { Malformed } from './codec.ts'
import type { Message, QoS } from './message.ts'
import type { Answer, SaveOutcome } from './outside.ts'

export interface Peer {
  readonly address: string
  readonly port: number
  /** True when the transport is encrypted. */
  readonly secure: boolean
  /** Identity that the transport proved (certificate CN, PSK identity), when there is one. */
  readonly identity?: string
  /** True when each `onBytes` is one datagram and bytes may be lost. */
  readonly datagram: boolean
  /** A multicast group or broadcast address: the gateway may speak to it, and nothing is ever heard from it. */
  readonly group?: boolean
  /** True when the transport is reliable and yet each `onBytes` is one message, and each `send` makes one (WebSocket). */
  readonly delimited?: boolean
}

export interface Will {
  readonly message: Message
  /** Milliseconds between the loss of the connection and the publication of the will. */
  readonly delayMs: number
  /** Message expiry, counted from the publication of the will; absent is never. */
  readonly expiryMs?: number
}

/** An authentication that takes several messages, as in SASL (RFC 4422). */
export interface Authentication {
  readonly method: string
  /** What the client says first. */
  readonly data?: Uint8Array
}

export interface ConnectRequest {
  /** Empty asks the broker to assign one. */
  readonly clientId: string
  /** Protocol name as it appears in status and metrics: `mqtt`, `coap`, `jt808`, ... */
  readonly protocol: string
  /** Protocol version for people: `3.1.1`, `2019`. */
  readonly version?: string
  readonly username?: string
  readonly password?: Uint8Array
  /** Proves who connects instead of user name and password. A session that sets it implements `onChallenge`. */
  readonly authentication?: Authentication
  /** True discards what an earlier session of this client id left behind. */
  readonly cleanStart: boolean
  /** True: only to go on with a session of this gateway that nobody is connected to; else refused as `bad-client-id`. */
  readonly resumeOnly?: boolean
  /** How long the session outlives its connection, in ms; 0 ends with it, Infinity never ends. */
  readonly expiryMs: number
  /** Reported in status and REST; the session itself arms its keep-alive timer. 0 is none. */
  readonly keepAliveMs: number
  readonly will?: Will
  /** Deliveries with an id that may be unacknowledged at once; the gateway's `maxInflight` caps it. */
  readonly receiveMaximum?: number
  /** True: QoS 0 deliveries get an id, take a window slot and need `ack` too (devices that answer each downlink). */
  readonly trackQos0?: boolean
}

export type ConnectRefusal =
  | 'bad-credentials'
  | 'not-authorized'
  | 'banned'
  | 'quota'
  | 'unavailable'
  | 'bad-client-id'
  | 'unknown-method' // of authentication

/** What became of an authentication that a connected client asked for. */
export type AuthenticationOutcome =
  /** `data` is the last word of the method, for the client. */
  | { readonly ok: true; readonly data?: Uint8Array }
  | { readonly ok: false; readonly reason: ConnectRefusal; readonly message?: string }

export type ConnectOutcome =
  | {
      readonly ok: true
      readonly clientId: string
      readonly sessionPresent: boolean
      /** True when the broker chose the client id. */
      readonly assigned: boolean
      /** Whom this connection displaced, for diagnostics to the newcomer. */
      readonly tookOver?: { readonly protocol: string; readonly gateway: string; readonly peer: string }
      /** The last word of an authentication method, for the client. */
      readonly authenticationData?: Uint8Array
    }
  | { readonly ok: false; readonly reason: ConnectRefusal; readonly message?: string }

/**
 * What became of a publish. `delivered` and `no-subscribers` are acceptance: the protocol may acknowledge.
 * Everything else must not be acknowledged as success.
 */
export type PublishOutcome =
  | 'delivered'
  | 'no-subscribers'
  | 'not-authorized'
  | 'quota'
  | 'invalid-topic'
  | 'not-connected'
  | 'unavailable' // the store does not write: try again later

export function isAccepted(outcome: PublishOutcome): boolean {
  return outcome === 'delivered' || outcome === 'no-subscribers'
}

export interface SubscribeOptions {
  readonly qos: QoS
  /** MQTT 5 no local: not my own messages. */
  readonly noLocal?: boolean
  /** MQTT 5 retain as published: keep the retain flag of live messages. */
  readonly retainAsPublished?: boolean
  /** MQTT 5 retain handling: 0 send retained, 1 only when the subscription is new, 2 never. Default 0. */
  readonly retainHandling?: 0 | 1 | 2
  /** Subscription identifier, 1..268435455. Deliveries name the ids of every subscription that matched. */
  readonly id?: number
  /** Deliver only while connected; never queued for an absent client (commands that would be stale later). */
  readonly liveOnly?: boolean
}

export type SubscribeOutcome = QoS | 'not-authorized' | 'invalid-filter' | 'quota' | 'shared-unsupported' | 'unavailable'

/** One downlink message for one session. Immutable; may be kept. */
export interface Delivery {
  readonly message: Message
  /** Names the window slot, 1..65535, for `ack`, `received` and `nack`; 0 when none is needed. */
  readonly id: number
  readonly qos: QoS
  readonly retain: boolean
  /** True when the session was offered this delivery before. */
  readonly dup: boolean
  /** QoS 2: the receiver has confirmed receipt earlier; repeat the release, not the message. */
  readonly released: boolean
  readonly subscriptionIds: readonly number[] | undefined
}

/** Why a session ended; the value is also the `reason` of an offline status. */
export type CloseReason =
  | 'disconnected' // the device said goodbye
  | 'connection-lost' // the peer closed or reset the connection
  | 'keepalive-timeout'
  | 'connect-timeout'
  | 'idle'
  | 'taken-over'
  | 'kicked'
  | 'protocol-error'
  | 'too-large'
  | 'not-authorized'
  | 'lifetime-expired'
  | 'unreachable' // retransmissions exhausted
  | 'congested'
  | 'rate-limited'
  | 'session-fault' // our own bug, caught by the host
  | 'unavailable' // what the session waited for could not be stored
  | 'shutdown'

/** Everything a session may do to the outside world. Calls after the session closed do nothing. */
export interface Link {
  readonly peer: Peer
  /** Name of the gateway instance in the config. */
  readonly gateway: string
  /** Client id once connected, else undefined. */
  readonly clientId: string | undefined
  /**
   * True between `connect` and `onConnect`, between `ask` and `onAnswer`, and after a publish that was for very many, until a later
   * turn: frames must wait (see `FrameSink.frame`).
   */
  readonly connecting: boolean
  /** The session of this gateway instance that is connected as this client. */
  sessionOf(clientId: string): Session | undefined
  /** What the gateway keeps with the client's session across its connections; gone when the session ends. */
  kept: object | undefined
  /**
   * Remembers a small value with the client's session, also over a restart of the process. Keys are the gateway's own.
   * What is sent after this call leaves only when the value is stored. Does nothing where `kept` is enough: for
   * sessions that end with their connection, and without a store.
   */
  remember(key: string, value: string): void
  forget(key: string): void
  /** What was remembered: where `kept` is undefined, it is rebuilt from this. */
  remembered(): Iterable<readonly [key: string, value: string]>
  /** Milliseconds since the epoch, frozen for the duration of one event. */
  now(): number
  random(bytes: number): Uint8Array

  /** Queues `bytes[start, end)`; they must not change afterwards. Datagram links send one datagram per call. */
  send(bytes: Uint8Array, start?: number, end?: number): void
  /** Ends the session: `onClose` is called, then the client is detached and the wire closed after what was sent. */
  close(reason: CloseReason): void

  /** Timers are small integers that the session names. Arming an armed timer moves it. */
  arm(timer: number, delayMs: number): void
  disarm(timer: number): void

  /**
   * Answered by `onConnect`, now or later. Bytes that arrive in between are parked by the host; after `onConnect` it
   * calls `onBytes` again, with an empty chunk if nothing came, so that a framer which stopped goes on.
   */
  connect(request: ConnectRequest): void
  /** What the device says to `onChallenge`. */
  respond(data: Uint8Array | undefined): void
  /** A connected client proves itself anew, by `request.authentication`. Answered by `onAuthenticated`; all goes on meanwhile. */
  authenticate(request: ConnectRequest): void
  /** Replaces the will of the connected client; undefined takes it away. */
  setWill(will: Will | undefined): void
  /**
   * Ends the virtual client but not the wire. `expiryMs` replaces the session expiry of the connect; `reason` is what
   * the offline status says, `disconnected` unless given.
   */
  disconnect(sendWill: boolean, expiryMs?: number, reason?: CloseReason): void

  /** Answered by `onPublished` when a tag was given, now or later. */
  publish(message: Message, tag?: number): void
  /** False when nobody would see a publish to this topic, so that its payload need not be built. */
  wanted(topic: string): boolean
  /** True when the client may publish to this topic. */
  mayPublish(topic: string): boolean
  /** The retained message of this exact topic, if the client may read it. */
  retained(topic: string): Message | undefined | 'not-authorized'
  /** Retained messages below a filter that the client may read; of the first `limit` that match. */
  retainedUnder(filter: string, limit: number): readonly Message[]
  subscribe(filter: string, options: SubscribeOptions, tag?: number): void
  /** True when there was such a subscription. */
  unsubscribe(filter: string): boolean

  /** The delivery that waits for its acknowledgement under this id. */
  awaited(id: number): Delivery | undefined
  /** The receiver confirmed this delivery: its window slot is free. False when the id is unknown. */
  ack(id: number): boolean
  /** QoS 2 receipt (first half of the handshake). False when the id is unknown. */
  received(id: number): boolean
  /** The receiver refused: the slot is free, the failure is counted under `reason`. */
  nack(id: number, reason: string): boolean
  /** Stop deliveries (the core queues, bounded) until `release`. */
  hold(): void
  /** Resume; with `count`, deliver at most that many queued messages and stay held. */
  release(count?: number): void

  /**
   * Posts `question` as JSON to the service that the gateway declared under this name. Answered by `onAnswer`, always later, once;
   * bytes that arrive in between are parked as during a connect.
   */
  ask(service: string, question: unknown, tag: number): void
  /**
   * Keeps `bytes` as a file of this gateway, in the folders and under the name that `path` gives; characters that do not belong in a
   * file name are replaced. The bytes must not change afterwards. Answered by `onSaved`, always later, once.
   */
  save(path: readonly string[], bytes: Uint8Array, tag: number): void

  /** Another session on the same wire, with a virtual client of its own (one address, many clients). */
  branch(open: (link: Link) => Session): Session
  /**
   * On datagrams: forgets this session, which has nothing to do and nothing to remember, without `onClose`. Its one branch stays; bytes
   * or the branch's `wake` open another session in its place. False, and nothing happens, where there is not exactly one branch.
   */
  rest(): boolean
  /** Of a branch: where the session that it branched off rests, there is a new one when this returns, and `onWake` has been called. */
  wake(): void
  /** Moves this session to the wire of `to` (a new address of the same identity). `to` keeps running. */
  moveTo(to: Link): void
  /**
   * Hands this wire to `owner`, an older session of the same identity: from now on its bytes go there, and this
   * session ends without touching any client. The datagram being handled is given to `owner` again.
   */
  yieldTo(owner: Link): void

  /** Counts hostile or broken input. Every decode failure ends here. */
  malformed(error: Malformed): void
  /** Adds to a counter of this gateway; names are kebab-case. */
  count(name: string, by?: number): void
}

/** Events in. A throw is our bug: the host closes this session, counts it, and the process lives. */
export interface Session {
  /** A stream chunk, or one datagram; valid until the call returns unless views of it are kept (then it stays). */
  onBytes(bytes: Uint8Array): void
  onTimer(timer: number): void
  onConnect(outcome: ConnectOutcome): void
  /** The authentication method asks the device; answer with `link.respond`, now or later. */
  onChallenge?(data: Uint8Array | undefined): void
  onAuthenticated?(outcome: AuthenticationOutcome): void
  onDeliver(delivery: Delivery): void
  onPublished?(tag: number, outcome: PublishOutcome): void
  onSubscribed?(tag: number, outcome: SubscribeOutcome): void
  onAnswer?(tag: number, answer: Answer): void
  onSaved?(tag: number, outcome: SaveOutcome): void
  /** Of a branch: what it branched off rested, and `session` is there in its place. */
  onWake?(session: Session): void
  /** Last call. The client is still attached: last publishes (failed commands, events) still go out. */
  onClose(reason: CloseReason): void
  /** Protocol facts for REST and dashboard. */
  describe?(): Readonly<Record<string, unknown>>
}
