/** What each message body's file exports. */
import type { Writer } from '#bytes/writer'
import type { HeaderForm } from '../header.ts'

export interface BodyFormat<Body> {
  /** Message id. */
  readonly id: number
  /** The body at `bytes[start, end)`; undefined when it does not fit its layout. */
  decode(bytes: Uint8Array, start: number, end: number, form: HeaderForm): Body | undefined
  encode(writer: Writer, body: Body, form: HeaderForm): void
  /** The body as it is published: JSON, text fit to show, no secrets. Absent: as it is. */
  present?(body: Body): object
  /** The body that a person wrote as JSON; absent where people do not compose this message. */
  take?(json: unknown, form: HeaderForm): { readonly body: Body } | { readonly faults: readonly string[] }
}
