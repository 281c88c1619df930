/** The resources of the server and who finds them: one for all peers. */
import { equalBytes } from '#stacks/coap/block'
import { METHOD_NOT_ALLOWED, methodText, NOT_FOUND } from '#stacks/coap/codes'
import { LINK_FORMAT } from '#stacks/coap/content-formats'
import { filterLinks, formatLinks } from '#stacks/coap/link-format'
import type { SecurityContext } from '#stacks/coap/oscore/context'
import type { Inquiry } from '#stacks/coap/responder'
import { ByteBudget } from '#stacks/coap/uploads'
import type { PlugtestPeer } from './peer.ts'
import { createLarge } from './resources/large.ts'
import { createObject } from './resources/object.ts'
import { createObservables } from './resources/observables.ts'
import { PLAIN } from './resources/plain.ts'
import { createContexts, createProtected } from './resources/protected.ts'
import { content, type Resource, resource } from './resources/resource.ts'
import { stored } from './resources/stored.ts'

/** Bytes of unfinished block-wise transfers of all peers. */
const TRANSFER_BYTES = 16 * 1024 * 1024

/** Resources that are not there until they are put: so many tests may create one before one is deleted. */
const MAX_CREATE = 9

export class PlugtestSite {
  readonly transferBudget = new ByteBudget(TRANSFER_BYTES)
  readonly #resources: ReadonlyMap<string, Resource>
  readonly #contexts = createContexts()

  constructor() {
    const resources = [
      ...PLAIN,
      stored('validate', 'validate me'),
      ...Array.from({ length: MAX_CREATE }, (_, i) => stored(`create${i + 1}`)),
      ...createLarge(),
      createObject(),
      ...createProtected(),
      ...createObservables(),
    ]
    this.#resources = new Map([...resources, wellKnown(resources)].map((entry) => [entry.path, entry]))
  }

  /** The context in which a key id speaks. */
  findContext(kid: Uint8Array, kidContext: Uint8Array | undefined): SecurityContext | undefined {
    return this.#contexts.find(({ recipientId, idContext }) => {
      const isNamed =
        kidContext === undefined ? idContext === undefined : idContext !== undefined && equalBytes(idContext, kidContext)
      return isNamed && equalBytes(recipientId, kid)
    })
  }

  serve(inquiry: Inquiry, peer: PlugtestPeer): void {
    const found = this.#find(inquiry.path)
    const handler = found?.methods.get(inquiry.request.code)
    if (found === undefined) inquiry.refuse(NOT_FOUND, 'no such resource: see /.well-known/core')
    else if (handler === undefined) inquiry.refuse(METHOD_NOT_ALLOWED, `no ${methodText(inquiry.request.code)} here`)
    else handler(inquiry, peer)
  }

  #find(path: readonly string[]): Resource | undefined {
    const name = path.some((segment) => segment.includes('/')) ? undefined : path.join('/')
    return this.#resources.get(name ?? '*') ?? (path.length === 2 ? this.#resources.get(`${path[0]}/*`) : undefined)
  }
}

/** TD_COAP_LINK_01 to 09: RFC 6690 4 */
function wellKnown(resources: readonly Resource[]): Resource {
  const links = resources.flatMap(({ path, attributes }) =>
    attributes === undefined ? [] : [{ target: `/${path}`, attributes }],
  )
  return resource('.well-known/core', {
    get: (inquiry) => inquiry.respond(content(formatLinks(filterLinks(links, inquiry.queries[0])), LINK_FORMAT)),
  })
}
