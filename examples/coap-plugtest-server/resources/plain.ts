/** Resources that say the same each time: TD_COAP_CORE_01 to 20, TD_COAP_LINK_02 to 09. */
import { encode } from 'cborg'
import { CHANGED, CONTENT, CREATED, codeText, DELETED, METHOD_NOT_ALLOWED, methodText, NOT_ACCEPTABLE } from '#stacks/coap/codes'
import { CBOR, JSON_FORMAT, LINK_FORMAT, TEXT } from '#stacks/coap/content-formats'
import { formatLinks } from '#stacks/coap/link-format'
import { CONTENT_FORMAT, LOCATION_PATH, LOCATION_QUERY, MAX_AGE, textOption, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { content, type Resource, resource } from './resource.ts'

const TYPES = ['CON', 'NON'] as const
const XML = 41 // application/xml

/** What the server saw of the request, so that whoever runs the test can compare. */
function seen({ request, queries }: Inquiry): Readonly<Record<string, string>> {
  const { type, code, messageId, token } = request
  return {
    Type: TYPES[type as 0 | 1],
    Code: `${codeText(code)} ${methodText(code)}`,
    MID: String(messageId),
    ...(token !== '' && { Token: Buffer.from(token, 'latin1').toString('hex') }),
    ...(queries.length > 0 && { 'Uri-Query': queries.join('&') }),
  }
}

function facts(inquiry: Inquiry): string {
  return Object.entries(seen(inquiry))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

const TEST_MAX_AGE_S = 30

/** TD_COAP_CORE_01 to 08, 10, 12, 15, 18 */
const test = resource(
  'test',
  {
    get: (inquiry) => {
      const { code, options = [], payload } = content(facts(inquiry))
      inquiry.respond({ code, options: [...options, uintOption(MAX_AGE, TEST_MAX_AGE_S)], payload })
    },
    post: (inquiry) => {
      const segments = ['location1', 'location2', 'location3']
      inquiry.respond({ code: CREATED, options: segments.map((segment) => textOption(LOCATION_PATH, segment)) })
    },
    put: (inquiry) => inquiry.respond({ code: CHANGED }),
    delete: (inquiry) => inquiry.respond({ code: DELETED }),
  },
  { ct: TEXT },
)

/** What POST to /test names as the location of what it made. */
const location = resource('location1/location2/location3', { get: (inquiry) => inquiry.respond(content(facts(inquiry))) })

/** TD_COAP_CORE_13 */
const longPath = resource('seg1/seg2/seg3', { get: (inquiry) => inquiry.respond(content(facts(inquiry))) }, { ct: TEXT })

/** TD_COAP_CORE_14 */
const query = resource('query', { get: (inquiry) => inquiry.respond(content(facts(inquiry))) }, { ct: TEXT })

/** TD_COAP_CORE_19 */
const locationQuery = resource(
  'location-query',
  {
    post: (inquiry) => {
      const options = ['first=1', 'second=2'].map((part) => textOption(LOCATION_QUERY, part))
      inquiry.respond({ code: CREATED, options })
    },
  },
  {},
)

/** TD_COAP_CORE_20 */
const multiFormat = resource(
  'multi-format',
  {
    get: (inquiry) => {
      const { accept = TEXT } = inquiry
      if (accept === TEXT) inquiry.respond(content(facts(inquiry)))
      else if (accept === XML) inquiry.respond(content(`<request>${facts(inquiry)}</request>`, XML))
      else if (accept === JSON_FORMAT) inquiry.respond(content(JSON.stringify(seen(inquiry)), JSON_FORMAT))
      else if (accept === CBOR) {
        inquiry.respond({ code: CONTENT, options: [uintOption(CONTENT_FORMAT, CBOR)], payload: encode(seen(inquiry)) })
      } else inquiry.refuse(NOT_ACCEPTABLE, 'there are 0 (text), 41 (XML), 50 (JSON) and 60 (CBOR)')
    },
  },
  { ct: '0 41 50 60' },
)

/** TD_COAP_CORE_09, 11, 16, 17: an answer that takes longer than the client waits for its acknowledgement. */
const separate = resource(
  'separate',
  { get: (inquiry, peer) => peer.later(inquiry, () => inquiry.respond(content(facts(inquiry)))) },
  { ct: TEXT },
)

const hello = resource('hello', { get: (inquiry) => inquiry.respond(content('Hello World!')) }, { ct: TEXT })

/** TD_COAP_LINK_02 to 05, 07, 08 */
const links = [
  ['link1', 'Type1 Type2', 'If1'],
  ['link2', 'Type2 Type3', 'If2'],
  ['link3', 'Type1 Type3', 'foo'],
].map(([path = '', rt = '', interfaces = '']) =>
  resource(path, { get: (inquiry) => inquiry.respond(content(`/${path}`)) }, { rt, if: interfaces }),
)

/** TD_COAP_LINK_09: the list says that there is a list; that one names its parts. */
const subPaths = ['sub1', 'sub2', 'sub3']
const parts = subPaths.map((name) => resource(`path/${name}`, { get: (inquiry) => inquiry.respond(content(`/path/${name}`)) }))
const path = resource(
  'path',
  {
    get: (inquiry) => {
      const targets = subPaths.map((name) => ({ target: `/path/${name}`, attributes: {} }))
      inquiry.respond(content(formatLinks(targets), LINK_FORMAT))
    },
  },
  { ct: LINK_FORMAT },
)
const alternate = resource(
  'alternate',
  { get: (inquiry) => inquiry.respond(content('/alternate')) },
  { rel: 'alternate', anchor: '/test' },
)

const root = resource('', {
  get: (inquiry) => inquiry.respond(content('CoAP plugtest server: see /.well-known/core')),
  post: (inquiry) => inquiry.refuse(METHOD_NOT_ALLOWED, 'this resource only says where the others are'),
})

export const PLAIN: readonly Resource[] = [
  root,
  hello,
  test,
  location,
  longPath,
  query,
  separate,
  locationQuery,
  multiFormat,
  ...links,
  path,
  ...parts,
  alternate,
]
