/** The operator's rules about topics: how they are rewritten, and what clients are subscribed to without asking. */
import { TopicRewrite } from '../broker/topic-rewrite.ts'
import type { BrokerConfig } from '../config/broker-schema.ts'

export type AutoSubscription = BrokerConfig['autoSubscribe'][number]

export class TopicRules {
  /** Undefined when there are no rules. */
  rewrite: TopicRewrite | undefined = undefined
  #automatic: readonly AutoSubscription[] = []

  constructor(config: Pick<BrokerConfig, 'rewrite' | 'autoSubscribe'>) {
    this.replace(config)
  }

  /** From now on; what clients have subscribed to stays. */
  replace({ rewrite, autoSubscribe }: Pick<BrokerConfig, 'rewrite' | 'autoSubscribe'>): void {
    this.rewrite = rewrite.length === 0 ? undefined : new TopicRewrite(rewrite)
    this.#automatic = autoSubscribe
  }

  /** What each client of this gateway is subscribed to. */
  automatic(gateway: string): readonly AutoSubscription[] {
    if (this.#automatic.length === 0) return this.#automatic
    return this.#automatic.filter(({ gateways }) => gateways?.includes(gateway) ?? true)
  }
}
