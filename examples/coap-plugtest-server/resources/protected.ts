/**
 * What OSCORE protects, RFC 8613: the resources of its interoperability tests, and contexts whose keys everybody knows. For tests alone: which
 * requests were seen is forgotten with the process.
 */
import { BAD_REQUEST, CHANGED, DELETED, NOT_ACCEPTABLE, PRECONDITION_FAILED, UNAUTHORIZED } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { CONTENT_FORMAT, ETAG, IF_MATCH, IF_NONE_MATCH, MAX_AGE, opaqueOption, uintOption } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { systemCrypto } from '../../../src/runtime/crypto.ts'
import { content, type Handler, type Resource, resource } from './resource.ts'
import { story } from './story.ts'

function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** As RFC 8613 C.1 and C.3 have them, and one whose client has an id. */
export function createContexts(): SecurityContext[] {
  return [
    { client: '', idContext: undefined },
    { client: '', idContext: '37cbf3210017a2d3' },
    { client: '00', idContext: undefined },
  ].map(({ client, idContext }) => {
    const input = {
      masterSecret: octets('0102030405060708090a0b0c0d0e0f10'),
      masterSalt: octets('9e7ca92223786340'),
      senderId: octets('01'),
      recipientId: octets(client),
      idContext: idContext === undefined ? undefined : octets(idContext),
    }
    return new SecurityContext(input, systemCrypto)
  })
}

const HELLO = 'Hello World!'
/** Entity-tags that the tests name. */
const HELLO_TAG = Uint8Array.of(0x2b)
const PUT_TAG = 0x7b
const HELLO_MAX_AGE_S = 5

/** Serves protected requests alone. */
function guarded(handler: Handler): Handler {
  return (inquiry, peer) => {
    if (inquiry.isProtected) handler(inquiry, peer)
    else inquiry.refuse(UNAUTHORIZED, 'this is for protected requests')
  }
}

/** Not listed: with all of them the list would need blocks, and a test of discovery is none of those. */
const get = (path: string, handler: Handler): Resource => resource(path, { get: guarded(handler) })

export function createProtected(): Resource[] {
  return [
    resource('oscore/hello/coap', { get: (inquiry) => inquiry.respond(content(HELLO)) }, { ct: TEXT }),
    get('oscore/hello/1', (inquiry) => inquiry.respond(content(HELLO))),
    get('oscore/hello/2', (inquiry) => {
      const { code, options = [], payload } = content(HELLO)
      inquiry.respond({ code, options: [...options, opaqueOption(ETAG, HELLO_TAG)], payload })
    }),
    get('oscore/hello/3', (inquiry) => {
      const { code, options = [], payload } = content(HELLO)
      if ((inquiry.accept ?? TEXT) !== TEXT) inquiry.refuse(NOT_ACCEPTABLE, 'there is text/plain')
      else inquiry.respond({ code, options: [...options, uintOption(MAX_AGE, HELLO_MAX_AGE_S)], payload })
    }),
    resource('oscore/hello/6', {
      post: guarded((inquiry) => {
        if (inquiry.body.length === 0) inquiry.refuse(BAD_REQUEST, 'send something')
        else
          inquiry.respond({
            code: CHANGED,
            options: [uintOption(CONTENT_FORMAT, TEXT)],
            payload: Uint8Array.from(inquiry.body),
          })
      }),
    }),
    resource('oscore/hello/7', {
      put: guarded((inquiry) => {
        const { options } = inquiry.request
        const matches = !options.has(IF_MATCH) || options.opaques(IF_MATCH).some((tag) => tag.length === 1 && tag[0] === PUT_TAG)
        if (!matches || options.has(IF_NONE_MATCH)) inquiry.refuse(PRECONDITION_FAILED, 'the entity-tag is 7b')
        else inquiry.respond({ code: CHANGED })
      }),
    }),
    get('oscore/observe1', story(['one', 'two'], 'Terminate Observe')),
    get('oscore/observe2', story(['one', 'two'])),
    resource('oscore/test', { delete: guarded((inquiry) => inquiry.respond({ code: DELETED })) }),
  ]
}
