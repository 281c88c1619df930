/** `${clientid}` and the like in topics that operators write: mountpoints and automatic subscriptions. */
import { encodeClientId } from '../sdk.ts'

/** Whom a topic is made for. */
export interface TopicIdentity {
  readonly clientId: string
  readonly username: string | undefined
  readonly peerHost: string
  readonly peerPort: number
  readonly gateway: string
}

/** What a client chose is encoded, so that it is one level at most. Unknown placeholders stay as they are. */
export function fillPlaceholders(template: string, identity: TopicIdentity): string {
  const values: Readonly<Record<string, string>> = {
    clientid: encodeClientId(identity.clientId),
    endpoint_name: encodeClientId(identity.clientId),
    username: encodeClientId(identity.username ?? ''),
    peerhost: identity.peerHost,
    host: identity.peerHost,
    port: String(identity.peerPort),
    gateway: identity.gateway,
  }
  return template.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}
