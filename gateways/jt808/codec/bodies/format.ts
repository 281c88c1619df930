/** What each message body's file exports. */
import type { Writer } from '#bytes/writer'
import type { Shape } from '../declare/shape.ts'
import type { HeaderForm } from '../header.ts'

export interface BodyFormat<Body> {
  /** Message id. */
  readonly id: number
  /** The body as data. */
  readonly shape: Shape
  /** The body at `bytes[start, end)`; undefined when it does not fit its layout. */
  decode(bytes: Uint8Array, start: number, end: number, form: HeaderForm): Body | undefined
  encode(writer: Writer, body: Body, form: HeaderForm): void
  /** The body as it is published: JSON, text fit to show, fit to be composed from again. */
  present(body: Body): object
  /** The body that a person wrote as JSON. */
  take(json: unknown, form: HeaderForm): { readonly body: Body } | { readonly faults: readonly string[] }
}
