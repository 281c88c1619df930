/** `/pubsub/{id}/data`: publish (PUT), read the last data (GET), subscribe (GET with Observe), delete it (DELETE). */

import { Message } from '#sdk'
import {
  BAD_REQUEST,
  CHANGED,
  CREATED,
  DELETE,
  DELETED,
  FORBIDDEN,
  GET,
  NOT_FOUND,
  PUT,
  UNSUPPORTED_CONTENT_FORMAT,
} from '#stacks/coap/codes'
import { DEREGISTER, REGISTER } from '#stacks/coap/observe'
import { ETAG } from '#stacks/coap/options'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { publish } from '../publishing.ts'
import type { Topic } from '../pubsub/topic.ts'
import { propertiesOf, representState } from '../representation.ts'
import { findTopic } from './pubsub-topic.ts'
import type { Method, Resource } from './resource.ts'

const HALF_CREATED = 'nothing was published to this topic yet'

function put(call: Call, client: CoapClient): void {
  const topic = findTopic(call)
  const { contentFormat } = call.target
  if (topic === undefined) {
    call.refuse(NOT_FOUND, 'no such topic')
  } else if (contentFormat !== undefined && topic.contentFormat !== undefined && contentFormat !== topic.contentFormat) {
    call.refuse(UNSUPPORTED_CONTENT_FORMAT, `this topic has Content-Format ${topic.contentFormat}`)
  } else if (call.body.length === 0) {
    call.refuse(BAD_REQUEST, 'no data: DELETE removes it')
  } else {
    const format = contentFormat ?? topic.contentFormat
    const isFirst = client.link.retained(topic.name) === undefined
    call.accepted = { code: isFirst ? CREATED : CHANGED }
    publish(call, client, topic.name, {
      properties: format === undefined ? undefined : propertiesOf(format, call.body),
      retain: true,
      ...(topic.expiresAt !== undefined && { notAfter: topic.expiresAt }),
    })
  }
}

function get(call: Call, client: CoapClient): void {
  const topic = findTopic(call)
  const state = topic === undefined ? undefined : client.link.retained(topic.name)
  if (topic === undefined) {
    call.refuse(NOT_FOUND, 'no such topic')
    return
  }
  const { observe, accept, options } = call.target
  if (observe === DEREGISTER) client.observations.deregister(call, topic.name)
  if (state === undefined) {
    call.refuse(NOT_FOUND, HALF_CREATED)
  } else if (state === 'not-authorized') {
    call.refuse(FORBIDDEN, 'not authorized to read this topic')
  } else if (observe === REGISTER && call.exchange.token !== '' && hasRoom(call, topic)) {
    client.observations.register(call, { filter: topic.name, isName: true, isCommands: false, topic })
  } else {
    // Without Observe in it, the answer says that nobody was added. RFC 7641 4.1
    call.respond(representState(state, call.session.link.now(), accept, options.opaques(ETAG)))
  }
}

function hasRoom(call: Call, topic: Topic): boolean {
  const { observers, maxSubscribers } = topic
  const present = call.session.observer(call.exchange.token)
  return observers.size < maxSubscribers || (present !== undefined && observers.has(present))
}

/** Back to half created: who observes it gets 4.04, by way of the empty message. */
function remove(call: Call, client: CoapClient): void {
  const topic = findTopic(call)
  if (topic === undefined) {
    call.refuse(NOT_FOUND, 'no such topic')
  } else if (client.link.retained(topic.name) === undefined) {
    call.refuse(NOT_FOUND, HALF_CREATED)
  } else {
    call.accepted = { code: DELETED }
    client.publish(call, new Message(topic.name, new Uint8Array(0), 1, true))
  }
}

export const topicData: Resource = {
  methods: new Map<number, Method>([
    [PUT, { client: put }],
    [GET, { client: get }],
    [DELETE, { client: remove }],
  ]),
  observed: (call) => findTopic(call)?.name,
  listed: undefined,
}
