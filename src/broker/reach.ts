/** Questions about a match that the core asks before it routes a message, or after. */
import type { Message } from '../sdk.ts'
import type { Subscription } from './subscription.ts'
import type { Match } from './subscription-table.ts'

/** True when the client takes the message now, or its session keeps it. */
export function reaches({ subscriptions }: Match, id: string, message: Message): boolean {
  return subscriptions.some(
    ({ client, liveOnly, qos }) => client.id === id && (client.connected || (!liveOnly && qos > 0 && message.qos > 0)),
  )
}

/** True when accepting the message means to keep it over a restart. */
export function needsStore({ subscriptions, groups }: Match, message: Message): boolean {
  if (message.retain) return true
  if (message.qos === 0) return false
  const isStored = ({ client, qos, liveOnly }: Subscription): boolean => client.number !== 0 && qos > 0 && !liveOnly
  return subscriptions.some(isStored) || (groups?.some(({ members }) => members.some(isStored)) ?? false)
}
