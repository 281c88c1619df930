/** `/ps/{topic}`: publish (POST, PUT), read the last value (GET), remove it (DELETE), observe and stop observing (GET with Observe). */
import { Message } from '#sdk'
import { equalBytes } from '#stacks/coap/block'
import {
  BAD_REQUEST,
  CON,
  CONTENT,
  DELETE,
  DELETED,
  FORBIDDEN,
  GET,
  NOT_FOUND,
  POST,
  PRECONDITION_FAILED,
  PUT,
} from '#stacks/coap/codes'
import type { Response } from '#stacks/coap/exchange'
import { DEREGISTER, REGISTER } from '#stacks/coap/observe'
import { ETAG, IF_MATCH, IF_NONE_MATCH } from '#stacks/coap/options'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { publish } from '../publishing.ts'
import { qosOf } from '../qos.ts'
import { propertiesOf, representState, tagOf } from '../representation.ts'
import { TOPIC_ROOT } from '../topics.ts'
import type { Method, Resource } from './resource.ts'

function put(call: Call, client: CoapClient): void {
  const { target } = call
  if (target.topicKind !== 'name') {
    call.refuse(BAD_REQUEST, `invalid topic: name one after /${TOPIC_ROOT}, without wildcards`)
  } else if (holdsCondition(call, client)) {
    const { contentFormat } = target
    publish(call, client, target.topic, {
      properties: contentFormat === undefined ? undefined : propertiesOf(contentFormat, call.body),
    })
  }
}

/** The topic has no value any more. Who observes it gets the empty message that says so on the broker. */
function remove(call: Call, client: CoapClient): void {
  const { target, exchange, session } = call
  if (target.topicKind !== 'name') {
    call.refuse(BAD_REQUEST, `invalid topic: name one after /${TOPIC_ROOT}, without wildcards`)
  } else if (holdsCondition(call, client)) {
    const qos = target.query.qos ?? qosOf(session.gateway.config.publishQos, exchange.type === CON)
    call.accepted = DELETED_RESPONSE
    client.publish(call, new Message(target.topic, NO_BYTES, qos, true))
  }
}

const NO_BYTES = new Uint8Array(0)
const DELETED_RESPONSE: Response = { code: DELETED }

/** RFC 7252 5.10.8: the value that is there decides whether it may be replaced. False: answered. */
function holdsCondition(call: Call, client: CoapClient): boolean {
  const { options, topic } = call.target
  const matches = options.opaques(IF_MATCH)
  const mustBeNew = options.has(IF_NONE_MATCH)
  if (matches.length === 0 && !mustBeNew) return true
  const state = client.link.retained(topic)
  if (state === 'not-authorized') {
    call.refuse(FORBIDDEN, 'not authorized to read this topic')
    return false
  }
  const holds =
    state === undefined
      ? matches.length === 0
      : !mustBeNew && matches.some((etag) => etag.length === 0 || equalBytes(etag, tagOf(state)))
  if (!holds) call.refuse(PRECONDITION_FAILED, state === undefined ? 'there is no value' : 'the value is another one')
  return holds
}

function get(call: Call, client: CoapClient): void {
  const { target, exchange } = call
  if (target.topicKind === 'invalid') {
    call.refuse(BAD_REQUEST, `invalid topic: name one after /${TOPIC_ROOT}`)
  } else if (target.observe === REGISTER) {
    if (exchange.token === '') call.refuse(BAD_REQUEST, 'observe without token')
    else client.observations.register(call, { filter: target.topic, isName: target.topicKind === 'name', isCommands: false })
  } else if (target.observe === DEREGISTER) {
    client.observations.deregister(call, target.topic)
    read(call, client, true)
  } else {
    read(call, client, false)
  }
}

/** The retained message of the topic; `emptyIfNone` where the request has succeeded anyway. */
function read(call: Call, client: CoapClient, emptyIfNone: boolean): void {
  const { session, target } = call
  const { topic } = target
  if (target.topicKind === 'filter' && !emptyIfNone) {
    call.refuse(BAD_REQUEST, 'a filter has no value of its own: observe it')
    return
  }
  const state = target.topicKind === 'name' ? client.link.retained(topic) : undefined
  if (state === undefined || (state === 'not-authorized' && emptyIfNone)) {
    if (emptyIfNone) call.respond({ code: CONTENT })
    else call.refuse(NOT_FOUND, `no value is retained on ${topic}`)
  } else if (state === 'not-authorized') {
    call.refuse(FORBIDDEN, 'not authorized to read this topic')
  } else {
    call.respond(representState(state, session.link.now(), target.accept, target.options.opaques(ETAG)))
  }
}

export const ps: Resource = {
  methods: new Map<number, Method>([
    [GET, { client: get }],
    [POST, { client: put }],
    [PUT, { client: put }],
    [DELETE, { client: remove }],
  ]),
  observed: (call) => call.target.topic,
  listed: {
    target: `/${TOPIC_ROOT}`,
    attributes: { rt: 'core.ps', ct: 0, obs: true, title: 'Publish, read and observe topics' },
  },
}
