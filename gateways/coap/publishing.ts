/** A request becomes a message, under the topic that its route chose. */
import { Message, type Properties } from '#sdk'
import { CON } from '#stacks/coap/codes'
import { MAX_AGE } from '#stacks/coap/options'
import type { Call } from './call.ts'
import type { CoapClient } from './client.ts'
import { qosOf } from './qos.ts'

/** Publishes `payload`, or else the body of the request, with the QoS, retain flag and expiry of the request; answers it. */
export function publish(call: Call, client: CoapClient, topic: string, own?: Properties, payload = call.reassembled): void {
  const { exchange, request, session, target } = call
  const { qos, retain = false, expirySeconds = target.options.uint(MAX_AGE), properties: more } = target.query
  const granted = qos ?? qosOf(session.gateway.config.publishQos, exchange.type === CON)
  const properties = more === undefined ? own : { ...own, ...more }
  const message =
    payload === undefined
      ? Message.view(topic, request.bytes, request.payloadStart, request.bytes.length, granted, retain, properties)
      : new Message(topic, payload, granted, retain, properties)
  if (expirySeconds !== undefined) message.expiresAt = session.link.now() + expirySeconds * 1000
  client.publish(call, message)
}
