/** Discovery: `/.well-known/core`, RFC 6690 section 4: the gateway's own resources, and the topics that the client may read. */
import { CONTENT, GET, NOT_ACCEPTABLE } from '#stacks/coap/codes'
import { LINK_FORMAT } from '#stacks/coap/content-formats'
import { filterLinks, formatLinks, type Link as WebLink } from '#stacks/coap/link-format'
import { CONTENT_FORMAT, URI_QUERY, uintOption } from '#stacks/coap/options'
import { encodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { isOwnQuery, percentDecode } from '../query.ts'
import { formatOf } from '../representation.ts'
import { pathOf } from '../topics.ts'
import type { Method, Resource } from './resource.ts'

const EVERY_TOPIC = '#'

/** The list of these resources; to whoever may read them, with the topics that have a value. */
export function wellKnown(resources: readonly Resource[]): Resource {
  const own = resources.flatMap(({ listed }) => listed ?? [])
  const guest = (call: Call): void => list(call, own)
  const client = (call: Call, client: CoapClient): void => list(call, [...own, ...topicLinks(client)])
  return { methods: new Map<number, Method>([[GET, { client, guest }]]), listed: undefined }
}

function list(call: Call, links: readonly WebLink[]): void {
  const { accept = LINK_FORMAT, options } = call.target
  if (accept !== LINK_FORMAT) {
    call.refuse(NOT_ACCEPTABLE, 'discovery speaks link format (40)')
    return
  }
  // RFC 6690 4.1 knows one query; what says who asks is none of it.
  const filter = options.texts(URI_QUERY).find((part) => !isOwnQuery(part))
  call.respond({
    code: CONTENT,
    options: [uintOption(CONTENT_FORMAT, LINK_FORMAT)],
    payload: encodeText(formatLinks(filterLinks(links, filter === undefined ? undefined : percentDecode(filter)))),
  })
}

function topicLinks({ link, session }: CoapClient): WebLink[] {
  const { maxListed } = session.gateway.config.limits
  return link.retainedUnder(EVERY_TOPIC, maxListed).map((message) => {
    const ct = formatOf(message)
    return {
      target: pathOf(message.topic),
      attributes: { rt: 'core.ps.data', ...(ct !== undefined && { ct }), sz: message.size, obs: true },
    }
  })
}
