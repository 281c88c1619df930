/** One instance of the gateway: what its sessions share. */
import type { Gateway, Link } from '#sdk'
import type { EndpointSettings } from '#stacks/coap/endpoint'
import { DEFAULT_SETTINGS } from '#stacks/coap/endpoint'
import { deriveTimes } from '#stacks/coap/parameters'
import { ByteBudget } from '#stacks/coap/uploads'
import type { CoapClient } from './client.ts'
import type { CoapConfig } from './config.ts'
import { AddressSession } from './session.ts'

export class CoapGateway implements Gateway<CoapConfig> {
  readonly config: CoapConfig
  readonly endpointSettings: EndpointSettings
  /** Unfinished block-wise transfers of all addresses. */
  readonly transferBudget: ByteBudget
  /** Everybody who is logged in, by client id: a client is known by that, wherever it is. */
  readonly clients = new Map<string, CoapClient>()
  /** An address that has been silent for so long, without clients, is forgotten: no repetition of a request can come. */
  readonly lingerMs: number

  constructor(config: CoapConfig) {
    const { transmission, limits, blockwise } = config
    const parameters = {
      ackTimeoutMs: transmission.ackTimeout,
      ackRandomFactor: transmission.ackRandomFactor,
      maxRetransmit: transmission.maxRetransmit,
      nstart: transmission.nstart,
      maxLatencyMs: transmission.maxLatency,
    }
    this.config = config
    this.endpointSettings = {
      ...DEFAULT_SETTINGS,
      parameters,
      separateAfterMs: transmission.separateAfter,
      maxExchanges: limits.maxExchanges,
      maxReplyBytes: limits.maxReplySize,
    }
    this.transferBudget = new ByteBudget(blockwise.maxMemory)
    this.lingerMs = deriveTimes(parameters).exchangeLifetimeMs
  }

  open(link: Link): AddressSession {
    return new AddressSession(this, link)
  }
}
