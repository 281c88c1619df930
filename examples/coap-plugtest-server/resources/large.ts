/** Bodies that need blocks: TD_COAP_BLOCK_01 to 06, TD_COAP_CORE_16. */
import { CHANGED, CONTENT, CREATED, DELETED, NOT_FOUND } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { CONTENT_FORMAT, LOCATION_PATH, textOption, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { content, type Resource, resource } from './resource.ts'
import { Stored } from './stored.ts'

const ROW_BYTES = 64
const LARGE_ROWS = 20

/** Text of `rows` lines of 64 characters: the first says `title`, each its own number. */
export function rows(title: string, count: number): string {
  const line = (text: string): string => `${text.padEnd(ROW_BYTES - 1, '.')}\n`
  return Array.from({ length: count }, (_, row) => line(row === 0 ? title : `line ${row + 1} of ${count} `)).join('')
}

export const LARGE_BYTES = LARGE_ROWS * ROW_BYTES

export function large(title: string): string {
  return rows(title, LARGE_ROWS)
}

const ATTRIBUTES = { rt: 'block', ct: TEXT, sz: LARGE_BYTES }

/** Things that were created and may be read at their location; the oldest makes room. */
const MAX_CREATED = 16

export function createLargeCreate(): Resource[] {
  const created = new Map<string, { readonly body: Uint8Array; readonly format: number }>()
  let last = 0
  const read = (inquiry: Inquiry, name: string): void => {
    const thing = created.get(name)
    if (thing === undefined) inquiry.refuse(NOT_FOUND, 'nothing was created here')
    else inquiry.respond({ code: CONTENT, options: [uintOption(CONTENT_FORMAT, thing.format)], payload: thing.body })
  }
  const collection = resource(
    'large-create',
    {
      get: (inquiry) => read(inquiry, String(last)),
      post: (inquiry) => {
        const name = String(++last)
        created.set(name, { body: Uint8Array.from(inquiry.body), format: inquiry.contentFormat ?? TEXT })
        created.delete(String(last - MAX_CREATED))
        inquiry.respond({ code: CREATED, options: ['large-create', name].map((part) => textOption(LOCATION_PATH, part)) })
      },
      delete: (inquiry) => {
        created.clear()
        inquiry.respond({ code: DELETED })
      },
    },
    { rt: 'block' },
  )
  const item = resource('large-create/*', {
    get: (inquiry) => read(inquiry, inquiry.path[1] ?? ''),
    delete: (inquiry) => {
      created.delete(inquiry.path[1] ?? '')
      inquiry.respond({ code: DELETED })
    },
  })
  return [collection, item]
}

export function createLarge(): Resource[] {
  const updated = new Stored(large('/large-update '))
  return [
    resource('large', { get: (inquiry) => inquiry.respond(content(large('/large '))) }, ATTRIBUTES),
    resource(
      'large-separate',
      { get: (inquiry, peer) => peer.later(inquiry, () => inquiry.respond(content(large('/large-separate ')))) },
      ATTRIBUTES,
    ),
    resource('large-update', { get: (inquiry) => updated.read(inquiry), put: (inquiry) => updated.write(inquiry) }, ATTRIBUTES),
    ...createLargeCreate(),
    resource(
      'large-post',
      {
        post: (inquiry) => {
          const { options, payload } = content(large(`/large-post: received ${inquiry.body.length} octets `))
          inquiry.respond({ code: CHANGED, options, payload })
        },
      },
      { rt: 'block' },
    ),
  ]
}
