/** A JSON object that is read and changed in part: FETCH, PATCH and iPATCH, RFC 8132, with merge patches, RFC 7396. */
import { BAD_REQUEST, CHANGED, UNPROCESSABLE_ENTITY, UNSUPPORTED_CONTENT_FORMAT } from '#stacks/coap/codes'
import { JSON_FORMAT, MERGE_PATCH } from '#stacks/coap/content-formats'
import type { Inquiry } from '#stacks/coap/responder'
import { decodeText } from '#stacks/coap/text'
import { content, type Handler, type Resource, resource } from './resource.ts'

type Members = Readonly<Record<string, unknown>>

/** A larger object is not kept. */
const MAX_CHARACTERS = 4096

export function createObject(): Resource {
  let object: Members = { name: 'plugtest', unit: 'Cel', value: 21.5 }
  const replace = (inquiry: Inquiry, next: unknown): void => {
    if (!isObject(next)) inquiry.refuse(UNPROCESSABLE_ENTITY, 'this is no JSON object')
    else if (JSON.stringify(next).length > MAX_CHARACTERS) inquiry.refuse(UNPROCESSABLE_ENTITY, 'this is too large to keep')
    else {
      object = next
      inquiry.respond({ code: CHANGED })
    }
  }
  const patch: Handler = (inquiry) => withJson(inquiry, MERGE_PATCH, (change) => replace(inquiry, merged(object, change)))
  return resource(
    'object',
    {
      get: (inquiry) => inquiry.respond(content(JSON.stringify(object), JSON_FORMAT)),
      put: (inquiry) => withJson(inquiry, JSON_FORMAT, (next) => replace(inquiry, next)),
      fetch: (inquiry) =>
        withJson(inquiry, JSON_FORMAT, (names) => {
          if (!Array.isArray(names)) inquiry.refuse(UNPROCESSABLE_ENTITY, 'FETCH takes an array of names')
          else inquiry.respond(content(JSON.stringify(chosen(object, names)), JSON_FORMAT))
        }),
      patch,
      ipatch: patch,
    },
    { ct: JSON_FORMAT },
  )
}

/** RFC 8132 3.4: another format is 4.15, what is not of that format 4.00. */
function withJson(inquiry: Inquiry, format: number, use: (value: unknown) => void): void {
  if (inquiry.contentFormat !== format) {
    inquiry.refuse(UNSUPPORTED_CONTENT_FORMAT, `this takes Content-Format ${format}`)
    return
  }
  let value: unknown
  try {
    value = JSON.parse(decodeText(inquiry.body) ?? '')
  } catch {
    inquiry.refuse(BAD_REQUEST, 'this is no JSON')
    return
  }
  use(value)
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function chosen(object: Members, names: readonly unknown[]): Members {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)))
}

/** RFC 7396 2; members of members are replaced as they stand. */
function merged(object: Members, change: unknown): unknown {
  if (!isObject(change)) return change
  return Object.fromEntries(Object.entries({ ...object, ...change }).filter(([, value]) => value !== null))
}
