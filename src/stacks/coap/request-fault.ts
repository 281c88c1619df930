/** What makes a request unanswerable whatever resource it names: RFC 7252 5.4, 5.7.2 and 5.10, RFC 7959 2.2, RFC 8768 3. */
import { hasReservedBlock } from './block.ts'
import { BAD_OPTION, BAD_REQUEST, PROXYING_NOT_SUPPORTED } from './codes.ts'
import { type Response, refusal } from './exchange.ts'
import type { OptionSet } from './option-set.ts'
import {
  ACCEPT,
  BLOCK1,
  BLOCK2,
  HOP_LIMIT,
  IF_MATCH,
  IF_NONE_MATCH,
  optionName,
  PROXY_SCHEME,
  PROXY_URI,
  Q_BLOCK1,
  Q_BLOCK2,
  URI_HOST,
  URI_PATH,
  URI_PORT,
  URI_QUERY,
} from './options.ts'
import { mixesBlocks } from './q-block.ts'

/** The critical options that an origin server understands; others are refused. RFC 7252 5.4.1 */
const SUPPORTED: ReadonlySet<number> = new Set([
  IF_MATCH,
  URI_HOST,
  IF_NONE_MATCH,
  URI_PORT,
  URI_PATH,
  URI_QUERY,
  ACCEPT,
  BLOCK2,
  BLOCK1,
  PROXY_URI,
  PROXY_SCHEME,
])

export interface RequestFault extends Response {
  /** What is counted. */
  readonly counter: 'bad-option' | 'proxy-refused' | 'bad-request'
}

const SUPPORTED_WITH_Q_BLOCK: ReadonlySet<number> = new Set([...SUPPORTED, Q_BLOCK1, Q_BLOCK2])

/** What block-wise transfers may use besides RFC 7959. */
export interface BlockDialect {
  /** RFC 8323 6: size 7 has a meaning. */
  readonly bert?: boolean
  /** RFC 9177 */
  readonly qBlock?: boolean
}

/** The answer to a request with these options, or undefined when there is nothing wrong with them. */
export function requestFault(options: OptionSet, { bert = false, qBlock = false }: BlockDialect = {}): RequestFault | undefined {
  const unacceptable = options.unacceptable(qBlock ? SUPPORTED_WITH_Q_BLOCK : SUPPORTED)
  if (unacceptable !== undefined) {
    return fault('bad-option', BAD_OPTION, `${optionName(unacceptable)} is not supported here, or not well-formed`)
  }
  if (options.has(PROXY_URI) || options.has(PROXY_SCHEME))
    return fault('proxy-refused', PROXYING_NOT_SUPPORTED, 'this is no proxy')
  if (options.uint(HOP_LIMIT) === 0) return fault('bad-request', BAD_REQUEST, 'Hop-Limit is 0')
  if (!bert && hasReservedBlock(options)) return fault('bad-request', BAD_REQUEST, 'block size 7 is reserved')
  if (qBlock && mixesBlocks(options)) return fault('bad-request', BAD_REQUEST, 'Q-Block and Block do not go together')
  // RFC 7252 5.10.1
  if (options.texts(URI_PATH).some(isRelative)) return fault('bad-request', BAD_REQUEST, 'a path segment is never . or ..')
  return undefined
}

function isRelative(segment: string): boolean {
  return segment === '.' || segment === '..'
}

function fault(counter: RequestFault['counter'], code: number, diagnostic: string): RequestFault {
  return { ...refusal(code, diagnostic), counter }
}
