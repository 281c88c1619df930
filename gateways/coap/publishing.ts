/** A request becomes a message, under the topic that its route chose. */
import { Message, NEVER, type Properties } from '#sdk'
import { CON } from '#stacks/coap/codes'
import { MAX_AGE } from '#stacks/coap/options'
import type { Call } from './call.ts'
import type { CoapClient } from './client.ts'
import { qosOf } from './qos.ts'

/** What a route knows better than the request. */
export interface Publication {
  readonly properties?: Properties | undefined
  /** In place of the body. */
  readonly payload?: Uint8Array
  readonly retain?: boolean
  /** Milliseconds since the epoch: whatever the request says, it lives no longer. */
  readonly notAfter?: number
}

/** Publishes the body of the request, with the QoS, retain flag and expiry of the request; answers it. */
export function publish(call: Call, client: CoapClient, topic: string, publication: Publication): void {
  const { exchange, request, session, target } = call
  const { qos, retain = false, expirySeconds = target.options.uint(MAX_AGE), properties: more } = target.query
  const { properties: own, payload = call.reassembled, retain: retained = retain, notAfter } = publication
  const granted = qos ?? qosOf(session.gateway.config.publishQos, exchange.type === CON)
  const properties = more === undefined ? own : { ...own, ...more }
  const message =
    payload === undefined
      ? Message.view(topic, request.bytes, request.payloadStart, request.bytes.length, granted, retained, properties)
      : new Message(topic, payload, granted, retained, properties)
  if (expirySeconds !== undefined) message.expiresAt = session.link.now() + expirySeconds * 1000
  if (notAfter !== undefined && (message.expiresAt === NEVER || message.expiresAt > notAfter)) message.expiresAt = notAfter
  client.publish(call, message)
}
