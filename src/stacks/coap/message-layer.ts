/** What carries messages to one peer and back: over datagrams with a message layer of its own, or over a stream. */
import type { Deadlines } from './deadlines.ts'
import type { ResetListener } from './endpoint.ts'
import type { TransmissionParameters } from './parameters.ts'
import type { Confirmable, Transmission } from './transmission.ts'

export interface MessageLayer {
  readonly settings: { readonly parameters: TransmissionParameters }
  /** Deadlines of whoever works on top share the one timer. */
  readonly deadlines: Deadlines
  /** Payloads up to here are sent in one message, larger ones in blocks; undefined leaves it to the configuration. */
  readonly wholePayloadBytes: number | undefined
  /** Payload of one BERT message, a multiple of 1024; 0 where the peer, or the transport, has none. RFC 8323 6 */
  readonly bertBytes: number
  now(): number
  /** True when forgetting the peer loses nothing. */
  isQuiet(): boolean
  /** Keeps nothing that can be made again: nothing is to be expected of the peer for a while. */
  rest(): void
  receive(bytes: Uint8Array): void
  /** Call when the context's timer fires. */
  onTimer(): void
  /** Ends everything: what is unsettled is cancelled. */
  close(): void
  sendNonConfirmable(encode: (messageId: number) => Uint8Array, listener?: ResetListener): void
  /** Undefined when too many wait already. `settled` is called once. */
  sendConfirmable(source: Confirmable): Transmission | undefined
  /** Takes a Confirmable message back; does nothing when it is settled. */
  cancel(transmission: Transmission): void
  /** The answer to a message of ours says that the message itself arrived. */
  confirm(transmission: Transmission): void
}
