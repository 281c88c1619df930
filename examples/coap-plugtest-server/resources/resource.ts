/** What a path of the server answers, and how `/.well-known/core` lists it. */
import { CONTENT, DELETE, FETCH, GET, IPATCH, PATCH, POST, PUT } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import type { Response } from '#stacks/coap/exchange'
import type { LinkAttribute } from '#stacks/coap/link-format'
import { CONTENT_FORMAT, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { encodeText } from '#stacks/coap/text'
import type { PlugtestPeer } from '../peer.ts'

export type Handler = (inquiry: Inquiry, peer: PlugtestPeer) => void

export interface Resource {
  /** Without the leading slash: `seg1/seg2/seg3`. */
  readonly path: string
  /** Undefined leaves the resource out of the list. */
  readonly attributes: Readonly<Record<string, LinkAttribute>> | undefined
  /** By request code; others get 4.05. */
  readonly methods: ReadonlyMap<number, Handler>
}

const METHODS = { get: GET, post: POST, put: PUT, delete: DELETE, fetch: FETCH, patch: PATCH, ipatch: IPATCH } as const

type Handlers = Partial<Record<keyof typeof METHODS, Handler>>

export function resource(path: string, handlers: Handlers, attributes?: Resource['attributes']): Resource {
  const methods = new Map<number, Handler>()
  for (const [name, handler] of Object.entries(handlers)) methods.set(METHODS[name as keyof typeof METHODS], handler)
  return { path, attributes, methods }
}

/** 2.05 with text, or another format that is text. */
export function content(text: string, format: number = TEXT): Response {
  return { code: CONTENT, options: [uintOption(CONTENT_FORMAT, format)], payload: encodeText(text) }
}
