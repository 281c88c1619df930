/** What a request is about, read from its options once: requests with the same options share it. */
import { type Block, blockOf } from '#stacks/coap/block'
import { BAD_REQUEST } from '#stacks/coap/codes'
import type { OptionSet } from '#stacks/coap/option-set'
import { ACCEPT, BLOCK1, BLOCK2, CONTENT_FORMAT, OBSERVE, Q_BLOCK1, Q_BLOCK2, URI_PATH, URI_QUERY } from '#stacks/coap/options'
import { qBlocksOf } from '#stacks/coap/q-block'
import { type BlockDialect, type RequestFault, requestFault } from '#stacks/coap/request-fault'
import type { CoapClient } from './client.ts'
import { parseQuery, type Query } from './query.ts'
import { refusal } from './responses.ts'
import type { Resource } from './routes/resource.ts'
import { findResource } from './routes/table.ts'
import { type TopicKind, topicKind, topicOf } from './topics.ts'

const NO_BLOCKS: readonly Block[] = []

export class Target {
  /** Answers every request with these options, whatever its method. */
  fault: RequestFault | undefined = undefined
  resource: Resource | undefined = undefined
  query: Query = {}
  block1: Block | undefined = undefined
  block2: Block | undefined = undefined
  /** Q-Block1: a block of a burst. */
  burst1: Block | undefined = undefined
  /** Q-Block2: the blocks of a burst that it asks for. */
  burst2: readonly Block[] = NO_BLOCKS
  observe: number | undefined = undefined
  accept: number | undefined = undefined
  contentFormat: number | undefined = undefined
  /** Who these options speak for, once that is known. */
  client: CoapClient | undefined = undefined

  readonly options: OptionSet
  readonly segments: readonly string[]
  #topic: string | undefined = undefined
  #topicKind: TopicKind | undefined = undefined

  constructor(options: OptionSet) {
    this.options = options
    this.segments = options.texts(URI_PATH)
  }

  /** The topic that a path below the topic root stands for. */
  get topic(): string {
    this.#topic ??= topicOf(this.segments)
    return this.#topic
  }

  get topicKind(): TopicKind {
    this.#topicKind ??= topicKind(this.topic)
    return this.#topicKind
  }
}

/** `dialect`: what the transport allows; the same for all with whom these options may be shared. */
export function targetOf(options: OptionSet, dialect: BlockDialect): Target {
  const known = options.memo
  if (known instanceof Target) return known
  const target = read(options, dialect)
  options.memo = target
  return target
}

function read(options: OptionSet, dialect: BlockDialect): Target {
  const target = new Target(options)
  const fault = requestFault(options, dialect)
  if (fault !== undefined) {
    target.fault = fault
    return target
  }
  const query = parseQuery(options.texts(URI_QUERY))
  if (typeof query === 'string') {
    target.fault = { ...refusal(BAD_REQUEST, query), counter: 'bad-request' }
    return target
  }
  target.block1 = blockOf(options, BLOCK1, dialect.bert)
  target.block2 = blockOf(options, BLOCK2, dialect.bert)
  if (dialect.qBlock === true) {
    target.burst1 = qBlocksOf(options, Q_BLOCK1)?.[0]
    target.burst2 = qBlocksOf(options, Q_BLOCK2) ?? NO_BLOCKS
  }
  target.query = query
  target.observe = options.uint(OBSERVE)
  target.accept = options.uint(ACCEPT)
  target.contentFormat = options.uint(CONTENT_FORMAT)
  target.resource = findResource(target.segments)
  return target
}
