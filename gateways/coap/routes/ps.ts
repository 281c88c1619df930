/** `/ps/{topic}`: publish (POST, PUT), read the last value (GET), observe and stop observing (GET with Observe). */
import { equalBytes } from '#stacks/coap/block'
import { BAD_REQUEST, CONTENT, FORBIDDEN, GET, NOT_FOUND, POST, PRECONDITION_FAILED, PUT } from '#stacks/coap/codes'
import { DEREGISTER, REGISTER } from '#stacks/coap/observe'
import { ETAG, IF_MATCH, IF_NONE_MATCH } from '#stacks/coap/options'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { publish } from '../publishing.ts'
import { propertiesOf, representState, tagOf } from '../representation.ts'
import { TOPIC_ROOT } from '../topics.ts'
import type { Method, Resource } from './resource.ts'

function put(call: Call, client: CoapClient): void {
  const { target } = call
  if (target.topicKind !== 'name') {
    call.refuse(BAD_REQUEST, `invalid topic: name one after /${TOPIC_ROOT}, without wildcards`)
  } else if (holdsCondition(call, client)) {
    const { contentFormat } = target
    publish(call, client, target.topic, contentFormat === undefined ? undefined : propertiesOf(contentFormat, call.body))
  }
}

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
    else client.observations.register(call)
  } else if (target.observe === DEREGISTER) {
    client.observations.deregister(call)
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
  ]),
  listed: {
    target: `/${TOPIC_ROOT}`,
    attributes: { rt: 'core.ps', ct: 0, obs: true, title: 'Publish, read and observe topics' },
  },
}
