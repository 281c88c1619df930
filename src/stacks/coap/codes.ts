/** Message types and codes: RFC 7252 sections 3, 12.1; RFC 7959 2.9, RFC 8132, RFC 8516, RFC 8768. */

export type MessageType = 0 | 1 | 2 | 3

export const CON = 0
export const NON = 1
export const ACK = 2
export const RST = 3

/** `c.dd` as one octet: class in the upper three bits, detail in the lower five. RFC 7252 3 */
export function codeOf(codeClass: number, detail: number): number {
  return (codeClass << 5) | detail
}

export const EMPTY = 0

// RFC 7252 12.1.1, RFC 8132 4
export const GET = codeOf(0, 1)
export const POST = codeOf(0, 2)
export const PUT = codeOf(0, 3)
export const DELETE = codeOf(0, 4)
export const FETCH = codeOf(0, 5)
export const PATCH = codeOf(0, 6)
export const IPATCH = codeOf(0, 7)

// RFC 7252 12.1.2
export const CREATED = codeOf(2, 1)
export const DELETED = codeOf(2, 2)
export const VALID = codeOf(2, 3)
export const CHANGED = codeOf(2, 4)
export const CONTENT = codeOf(2, 5)
export const CONTINUE = codeOf(2, 31) // RFC 7959 2.9.1
export const BAD_REQUEST = codeOf(4, 0)
export const UNAUTHORIZED = codeOf(4, 1)
export const BAD_OPTION = codeOf(4, 2)
export const FORBIDDEN = codeOf(4, 3)
export const NOT_FOUND = codeOf(4, 4)
export const METHOD_NOT_ALLOWED = codeOf(4, 5)
export const NOT_ACCEPTABLE = codeOf(4, 6)
export const REQUEST_ENTITY_INCOMPLETE = codeOf(4, 8) // RFC 7959 2.9.2
export const CONFLICT = codeOf(4, 9) // RFC 8132 4
export const PRECONDITION_FAILED = codeOf(4, 12)
export const REQUEST_ENTITY_TOO_LARGE = codeOf(4, 13)
export const UNSUPPORTED_CONTENT_FORMAT = codeOf(4, 15)
export const UNPROCESSABLE_ENTITY = codeOf(4, 22) // RFC 8132 4
export const TOO_MANY_REQUESTS = codeOf(4, 29) // RFC 8516
export const INTERNAL_SERVER_ERROR = codeOf(5, 0)
export const NOT_IMPLEMENTED = codeOf(5, 1)
export const BAD_GATEWAY = codeOf(5, 2)
export const SERVICE_UNAVAILABLE = codeOf(5, 3)
export const GATEWAY_TIMEOUT = codeOf(5, 4)
export const PROXYING_NOT_SUPPORTED = codeOf(5, 5)
export const HOP_LIMIT_REACHED = codeOf(5, 8) // RFC 8768 6

export function classOf(code: number): number {
  return code >> 5
}

export function isRequestCode(code: number): boolean {
  return code > 0 && code < 0x20
}

/** Classes 2, 4 and 5; the others are reserved or signalling. RFC 7252 12.1.2 */
export function isResponseCode(code: number): boolean {
  const codeClass = code >> 5
  return codeClass === 2 || codeClass === 4 || codeClass === 5
}

export function isSuccess(code: number): boolean {
  return code >> 5 === 2
}

/** Requests that change nothing. RFC 7252 5.1, RFC 8132 2 */
export function isSafe(code: number): boolean {
  return code === GET || code === FETCH
}

/** `4.04`, as people write it. */
export function codeText(code: number): string {
  return `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`
}

const METHOD_NAMES: readonly string[] = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH']

/** `GET`, or `0.09` for a method nobody has registered. */
export function methodText(code: number): string {
  return METHOD_NAMES[code] || codeText(code)
}
