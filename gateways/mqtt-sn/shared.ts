/** What the sessions of one gateway instance share. */
import type { AnonymousPublisher } from './anonymous-publisher.ts'
import type { ClientSession } from './client-session.ts'
import type { Message } from './codec/index.ts'
import type { Config } from './config.ts'
import type { GroupSession } from './group-session.ts'
import type { PredefinedTopics } from './predefined.ts'
import type { ReplyBudget } from './reply-budget.ts'
import type { Connection } from './v2/connection.ts'
import type { Protection } from './v2/protection.ts'

export interface Shared {
  /** Replaced on reload. */
  config: Config
  predefined: PredefinedTopics
  /** Connected clients, sleeping ones included, by client id; bounded by the virtual clients there are. */
  readonly clients: Map<string, ClientSession>
  /** The same of version 2.0. */
  readonly connections: Map<string, Connection>
  /** Pre-shared keys; replaced on reload. */
  protection: Protection
  /** Who publishes for senders without a connection, by client id. */
  readonly publishers: Map<string, AnonymousPublisher>
  /** Where the gateway makes itself known. */
  readonly groups: Set<GroupSession>
  readonly replies: ReplyBudget
}

/** Says something to one client, through its forwarder if it has one. */
export interface Speaker {
  send(message: Message): void
}
