/** Discovery: `/.well-known/core`, RFC 6690 section 4. */
import { CONTENT, GET } from '#stacks/coap/codes'
import { LINK_FORMAT } from '#stacks/coap/content-formats'
import { filterLinks, formatLinks } from '#stacks/coap/link-format'
import { CONTENT_FORMAT, URI_QUERY, uintOption } from '#stacks/coap/options'
import { encodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import { percentDecode } from '../query.ts'
import type { Method, Resource } from './resource.ts'

/** The list of these resources. */
export function wellKnown(resources: readonly Resource[]): Resource {
  const links = resources.flatMap(({ listed }) => listed ?? [])
  const list = (call: Call): void => {
    const [query] = call.target.options.texts(URI_QUERY)
    call.respond({
      code: CONTENT,
      options: [uintOption(CONTENT_FORMAT, LINK_FORMAT)],
      payload: encodeText(formatLinks(filterLinks(links, query === undefined ? undefined : percentDecode(query)))),
    })
  }
  return { methods: new Map<number, Method>([[GET, { open: list }]]), listed: undefined }
}
