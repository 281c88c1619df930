/** Resources that keep what is put: TD_COAP_CORE_21 to 23. */
import { entityTag, equalBytes } from '#stacks/coap/block'
import { CHANGED, CONTENT, CREATED, DELETED, NOT_FOUND, PRECONDITION_FAILED, VALID } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { CONTENT_FORMAT, ETAG, IF_MATCH, IF_NONE_MATCH, type Option, opaqueOption, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { encodeText } from '#stacks/coap/text'
import { type Resource, resource } from './resource.ts'

interface Representation {
  readonly body: Uint8Array
  readonly format: number
  readonly tag: Uint8Array
}

/** One value and its history: the tag changes with every PUT, also to the same octets. */
export class Stored {
  #value: Representation | undefined = undefined
  #version = 0

  constructor(initial?: string) {
    if (initial !== undefined) this.#store(encodeText(initial), TEXT)
  }

  read(inquiry: Inquiry): void {
    const value = this.#value
    if (value === undefined) {
      inquiry.refuse(NOT_FOUND, 'nothing was put here')
      return
    }
    const tag: Option = opaqueOption(ETAG, value.tag)
    const { options } = inquiry.request
    // RFC 7252 5.10.6.2
    if (options.opaques(ETAG).some((known) => equalBytes(known, value.tag))) inquiry.respond({ code: VALID, options: [tag] })
    else inquiry.respond({ code: CONTENT, options: [tag, uintOption(CONTENT_FORMAT, value.format)], payload: value.body })
  }

  write(inquiry: Inquiry): void {
    if (!this.#permits(inquiry)) {
      inquiry.refuse(PRECONDITION_FAILED, 'If-Match or If-None-Match does not hold')
      return
    }
    const isNew = this.#value === undefined
    // Views of the datagram do not outlive it.
    this.#store(Uint8Array.from(inquiry.body), inquiry.contentFormat ?? TEXT)
    inquiry.respond({ code: isNew ? CREATED : CHANGED })
  }

  /** RFC 7252 5.8.4: 2.02 also when there was nothing. */
  remove(inquiry: Inquiry): void {
    if (!this.#permits(inquiry)) {
      inquiry.refuse(PRECONDITION_FAILED, 'If-Match does not hold')
      return
    }
    this.#value = undefined
    inquiry.respond({ code: DELETED })
  }

  /** RFC 7252 5.10.8 */
  #permits({ request: { options } }: Inquiry): boolean {
    const value = this.#value
    if (options.has(IF_NONE_MATCH) && value !== undefined) return false
    if (!options.has(IF_MATCH)) return true
    return value !== undefined && options.opaques(IF_MATCH).some((tag) => tag.length === 0 || equalBytes(tag, value.tag))
  }

  #store(body: Uint8Array, format: number): void {
    this.#value = { body, format, tag: entityTag(body, ++this.#version) }
  }
}

export function stored(path: string, initial?: string): Resource {
  const value = new Stored(initial)
  return resource(
    path,
    {
      get: (inquiry) => value.read(inquiry),
      put: (inquiry) => value.write(inquiry),
      delete: (inquiry) => value.remove(inquiry),
    },
    {},
  )
}
