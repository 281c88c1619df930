/** MQTT 5 properties of a message, as MQTT.js has them and as the broker has them. */
import type { IPublishPacket } from 'mqtt'
import type { Message, Properties } from '../../sdk.ts'
import { ownPath } from './path.ts'

type RemoteProperties = NonNullable<IPublishPacket['properties']>

/** With the mark of this process on the way of the message. `nowMs` is what the rest of the expiry counts from. */
export function toRemote({ topic, properties, expiresAt }: Message, nowMs: number): RemoteProperties {
  const { utf8, contentType, responseTopic, correlationData, userProperties } = properties ?? {}
  return {
    ...(utf8 !== undefined && { payloadFormatIndicator: utf8 }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) }),
    userProperties: grouped(ownPath.withMark(topic, userProperties)),
    ...(expiresAt !== 0 && { messageExpiryInterval: Math.max(1, Math.ceil((expiresAt - nowMs) / 1000)) }),
  }
}

export function fromRemote(properties: RemoteProperties | undefined): Properties | undefined {
  if (properties === undefined) return undefined
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties
  const known: Properties = {
    ...(payloadFormatIndicator !== undefined && { utf8: payloadFormatIndicator }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: new Uint8Array(correlationData) }),
    ...(userProperties !== undefined && { userProperties: pairs(userProperties) }),
  }
  return Object.keys(known).length === 0 ? undefined : known
}

/** MQTT.js has one entry a name: the values of a name keep their order, and go where its first one stood. */
function grouped(list: NonNullable<Properties['userProperties']>): Record<string, string[]> {
  const byName: Record<string, string[]> = {}
  for (const [name, value] of list) {
    byName[name] ??= []
    byName[name].push(value)
  }
  return byName
}

function pairs(byName: NonNullable<RemoteProperties['userProperties']>): (readonly [string, string])[] {
  return Object.entries(byName).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => [name, value] as const),
  )
}
