/**
 * Publish-subscribe broker, draft-ietf-core-coap-pubsub: `/pubsub` is the topic collection, `/pubsub/{id}` a topic's
 * configuration, `/pubsub/{id}/data` its data. The data is the retained message of the topic's name on the broker: a topic
 * is fully created while there is one.
 */
import { toHex } from '#bytes/hex'
import { Message } from '#sdk'
import {
  BAD_REQUEST,
  CHANGED,
  CONTENT,
  CREATED,
  DELETE,
  DELETED,
  FETCH,
  FORBIDDEN,
  GET,
  IPATCH,
  NOT_ACCEPTABLE,
  NOT_FOUND,
  POST,
  PUT,
  SERVICE_UNAVAILABLE,
  UNSUPPORTED_CONTENT_FORMAT,
} from '#stacks/coap/codes'
import { CBOR, LINK_FORMAT, PUBSUB } from '#stacks/coap/content-formats'
import type { Response } from '#stacks/coap/exchange'
import { filterLinks, formatLinks, type Link as WebLink } from '#stacks/coap/link-format'
import { CONTENT_FORMAT as CONTENT_FORMAT_OPTION, LOCATION_PATH, textOption, URI_QUERY, uintOption } from '#stacks/coap/options'
import { encodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { decodeCbor, encodeMap } from '../pubsub/cbor.ts'
import {
  CONTENT_FORMAT,
  creationFault,
  INITIALIZE,
  immutableChange,
  immutableOf,
  meets,
  only,
  type Properties,
  readKeys,
  readProperties,
  TOPIC_NAME,
} from '../pubsub/properties.ts'
import { COLLECTION, DATA, Topic } from '../pubsub/topic.ts'
import { isOwnQuery, percentDecode } from '../query.ts'
import { propertiesOf } from '../representation.ts'
import { refusal, retryLater } from '../responses.ts'
import { findTopic, forget } from './pubsub-topic.ts'
import type { Method, Resource } from './resource.ts'

const ID_BYTES = 6

// ---- the collection ------------------------------------------------------------------------------------------------

/** Configurations, or with `rt=core.ps.data` the data, of the topics that the client may read. */
function list(call: Call, client: CoapClient, wanted?: Properties): void {
  const query = call.target.options.texts(URI_QUERY).find((part) => !isOwnQuery(part))
  const filter = query === undefined ? undefined : percentDecode(query)
  const links: WebLink[] = []
  for (const topic of [...call.session.gateway.topics.all()]) {
    if (findTopic(call, topic.id) === undefined || !mayRead(client, topic)) continue
    if (wanted !== undefined && !meets(topic.properties, wanted)) continue
    links.push(
      filter === 'rt=core.ps.data'
        ? dataLink(topic)
        : { target: `/${COLLECTION}/${topic.id}`, attributes: { rt: 'core.ps.conf' } },
    )
  }
  call.respond({
    code: CONTENT,
    options: [uintOption(CONTENT_FORMAT_OPTION, LINK_FORMAT)],
    payload: encodeText(formatLinks(filterLinks(links, filter))),
  })
}

function dataLink({ id, contentFormat }: Topic): WebLink {
  const ct = contentFormat === undefined ? {} : { ct: contentFormat }
  return { target: `/${COLLECTION}/${id}/${DATA}`, attributes: { rt: 'core.ps.data', ...ct, obs: true } }
}

function select(call: Call, client: CoapClient): void {
  const wanted = propertiesIn(call)
  if (wanted !== undefined) list(call, client, wanted)
}

function create(call: Call, client: CoapClient): void {
  const properties = propertiesIn(call)
  if (properties === undefined) return
  const { topics, config } = call.session.gateway
  const name = properties.get(TOPIC_NAME) as string
  const known = topics.named(name)
  const fault =
    creationFault(properties) ??
    (known === undefined || findTopic(call, known.id) === undefined ? undefined : 'there is a topic of this name')
  if (fault !== undefined) {
    call.refuse(BAD_REQUEST, fault)
  } else if (!client.link.mayPublish(name)) {
    call.refuse(FORBIDDEN, 'not authorized to publish to this topic')
  } else if (topics.size >= config.limits.maxTopics) {
    call.session.count('topics-full')
    call.respond(retryLater(SERVICE_UNAVAILABLE, 'too many topics'))
  } else {
    add(call, client, properties)
  }
}

function add(call: Call, client: CoapClient, properties: Properties): void {
  const { topics } = call.session.gateway
  let id: string
  do id = toHex(call.session.link.random(ID_BYTES))
  while (topics.get(id) !== undefined)
  const topic = new Topic(id, new Map([...properties].filter(([key]) => key !== INITIALIZE)))
  topics.add(topic)
  const created = representation(topic.properties, CREATED, [
    textOption(LOCATION_PATH, COLLECTION),
    textOption(LOCATION_PATH, id),
  ])
  const data = properties.get(INITIALIZE)
  if (!(data instanceof Uint8Array)) {
    call.respond(created)
    return
  }
  call.accepted = created
  const format = properties.get(CONTENT_FORMAT) as number
  client.publish(call, new Message(topic.name, Uint8Array.from(data), 1, true, propertiesOf(format, data)))
}

// ---- a configuration -----------------------------------------------------------------------------------------------

function read(call: Call, client: CoapClient): void {
  const topic = readable(call, client)
  if (topic !== undefined) call.respond(representation(topic.properties, CONTENT))
}

function readSome(call: Call, client: CoapClient): void {
  const topic = readable(call, client)
  if (topic === undefined) return
  const { contentFormat } = call.target
  const keys = readKeys(decodeCbor(call.body))
  if (contentFormat !== undefined && contentFormat !== CBOR && contentFormat !== PUBSUB) {
    call.refuse(UNSUPPORTED_CONTENT_FORMAT, `send CBOR (${CBOR})`)
  } else if (typeof keys === 'string') call.refuse(BAD_REQUEST, keys)
  else call.respond(representation(only(topic.properties, keys), CONTENT))
}

/** `partly`: what is not named stays; else it is reset. */
function change(partly: boolean): (call: Call, client: CoapClient) => void {
  return (call, client) => {
    const topic = writable(call, client)
    const next = topic === undefined ? undefined : propertiesIn(call)
    if (topic === undefined || next === undefined) return
    const fixed = next.has(INITIALIZE) ? 'initialize' : immutableChange(topic.properties, next)
    if (fixed !== undefined) {
      call.refuse(BAD_REQUEST, `${fixed} cannot be changed`)
      return
    }
    const kept = partly ? topic.properties : immutableOf(topic.properties)
    call.session.gateway.topics.change(topic, new Map([...kept, ...next]))
    let room = topic.maxSubscribers
    for (const observer of [...topic.observers]) {
      if (--room >= 0) continue
      observer.client.observations.finish(observer, refusal(NOT_FOUND, 'the topic takes fewer subscribers now'), 'removed')
    }
    call.respond(representation(topic.properties, CHANGED))
  }
}

/** The data goes with it: its observers get 4.04. */
function remove(call: Call, client: CoapClient): void {
  const topic = writable(call, client)
  if (topic === undefined) return
  forget(call.session.gateway, topic)
  call.accepted = { code: DELETED }
  client.publish(call, new Message(topic.name, new Uint8Array(0), 1, true))
}

// ---- common --------------------------------------------------------------------------------------------------------

function mayRead(client: CoapClient, topic: Topic): boolean {
  return client.link.retained(topic.name) !== 'not-authorized'
}

/** Undefined: answered with a refusal. */
function readable(call: Call, client: CoapClient): Topic | undefined {
  const topic = findTopic(call)
  const { accept = PUBSUB } = call.target
  if (topic === undefined) call.refuse(NOT_FOUND, 'no such topic')
  else if (!mayRead(client, topic)) call.refuse(FORBIDDEN, 'not authorized to read this topic')
  else if (accept !== PUBSUB && accept !== CBOR)
    call.refuse(NOT_ACCEPTABLE, `a topic is application/core-pubsub+cbor (${PUBSUB})`)
  else return topic
  return undefined
}

function writable(call: Call, client: CoapClient): Topic | undefined {
  const topic = findTopic(call)
  if (topic === undefined) call.refuse(NOT_FOUND, 'no such topic')
  else if (!client.link.mayPublish(topic.name)) call.refuse(FORBIDDEN, 'not authorized to publish to this topic')
  else return topic
  return undefined
}

/** The topic properties in the body; undefined: answered with a refusal. */
function propertiesIn(call: Call): Properties | undefined {
  const { contentFormat } = call.target
  if (contentFormat !== undefined && contentFormat !== PUBSUB && contentFormat !== CBOR) {
    call.refuse(UNSUPPORTED_CONTENT_FORMAT, `send application/core-pubsub+cbor (${PUBSUB})`)
    return undefined
  }
  const properties = readProperties(decodeCbor(call.body))
  if (typeof properties !== 'string') return properties
  call.refuse(BAD_REQUEST, properties)
  return undefined
}

function representation(properties: Properties, code: number, location: Response['options'] = []): Response {
  return { code, options: [...location, uintOption(CONTENT_FORMAT_OPTION, PUBSUB)], payload: encodeMap(properties) }
}

export const collection: Resource = {
  methods: new Map<number, Method>([
    [GET, { client: (call, client) => list(call, client) }],
    [FETCH, { client: select }],
    [POST, { client: create }],
  ]),
  listed: { target: `/${COLLECTION}`, attributes: { rt: 'core.ps.coll', ct: LINK_FORMAT, title: 'Create and list topics' } },
}

export const configuration: Resource = {
  methods: new Map<number, Method>([
    [GET, { client: read }],
    [FETCH, { client: readSome }],
    [POST, { client: change(false) }],
    [PUT, { client: change(false) }],
    [IPATCH, { client: change(true) }],
    [DELETE, { client: remove }],
  ]),
  listed: undefined,
}
