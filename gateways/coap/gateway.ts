/** One instance of the gateway: what its sessions share. */
import type { Gateway, Link } from '#sdk'
import type { EndpointSettings } from '#stacks/coap/endpoint'
import { DEFAULT_SETTINGS } from '#stacks/coap/endpoint'
import { DEFAULT_PARAMETERS, deriveTimes } from '#stacks/coap/parameters'
import type { BlockDialect } from '#stacks/coap/request-fault'
import type { StreamSettings } from '#stacks/coap/stream-endpoint'
import { ByteBudget } from '#stacks/coap/uploads'
import type { CoapConfig } from './config.ts'
import type { Accounts } from './oscore/accounts.ts'
import type { Topics } from './pubsub/topics.ts'
import { AddressSession } from './session.ts'

/** RFC 7252 3 */
const MAX_TOKEN_BYTES = 8

export class CoapGateway implements Gateway<CoapConfig> {
  readonly config: CoapConfig
  /** Devices whose requests are protected. */
  readonly accounts: Accounts
  readonly endpointSettings: EndpointSettings
  readonly datagramDialect: BlockDialect
  readonly streamSettings: Omit<StreamSettings, 'delimited'>
  /** Unfinished block-wise transfers of all addresses. */
  readonly transferBudget: ByteBudget
  /** How many clients are logged in. */
  online = 0
  /** What somebody has configured at `/pubsub`. */
  readonly topics: Topics
  /** An address that has been silent for so long, without clients, is forgotten: no repetition of a request can come. */
  readonly lingerMs: number

  constructor(config: CoapConfig, accounts: Accounts, topics: Topics) {
    const { transmission, limits, blockwise } = config
    const parameters = {
      ...DEFAULT_PARAMETERS,
      ackTimeoutMs: transmission.ackTimeout,
      ackRandomFactor: transmission.ackRandomFactor,
      maxRetransmit: transmission.maxRetransmit,
      nstart: transmission.nstart,
      maxLatencyMs: transmission.maxLatency,
    }
    this.config = config
    this.accounts = accounts
    this.topics = topics
    this.datagramDialect = { qBlock: blockwise.qBlock }
    this.endpointSettings = {
      ...DEFAULT_SETTINGS,
      parameters,
      separateAfterMs: transmission.separateAfter,
      maxExchanges: limits.maxExchanges,
      maxReplyBytes: limits.maxReplySize,
    }
    this.streamSettings = { parameters, maxMessageBytes: limits.maxMessageSize, maxTokenBytes: MAX_TOKEN_BYTES }
    this.transferBudget = new ByteBudget(blockwise.maxMemory)
    this.lingerMs = deriveTimes(parameters).exchangeLifetimeMs
  }

  open(link: Link): AddressSession {
    return new AddressSession(this, link)
  }

  close(): void {
    this.accounts.close()
  }
}
