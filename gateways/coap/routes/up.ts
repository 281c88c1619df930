/** `/up/telemetry`, `/up/event`, `/up/data`: the device's own unified topics, without naming them. */
import { type DeviceTopic, deviceTopic } from '#sdk'
import { BAD_REQUEST, POST, PUT, UNSUPPORTED_CONTENT_FORMAT } from '#stacks/coap/codes'
import { contentFormat, JSON_FORMAT, OCTET_STREAM, TEXT } from '#stacks/coap/content-formats'
import { decodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { type EnvelopeKind, envelopeOf } from '../envelope.ts'
import { publish } from '../publishing.ts'
import { propertiesOf } from '../representation.ts'
import type { Method, Resource } from './resource.ts'

/** Envelopes are made of these; without a Content-Format it may be any of them. */
const READABLE: ReadonlySet<number | undefined> = new Set([undefined, TEXT, OCTET_STREAM, JSON_FORMAT])

function envelope(kind: EnvelopeKind): (call: Call, client: CoapClient) => void {
  const leaf: DeviceTopic = `up/${kind}`
  return (call, client) => {
    if (!isNamed(call)) return
    const format = call.target.contentFormat
    if (!READABLE.has(format)) {
      const name = (format !== undefined && contentFormat(format)?.mediaType) || `Content-Format ${format}`
      call.refuse(UNSUPPORTED_CONTENT_FORMAT, `send JSON (50) or text (0), not ${name}`)
      return
    }
    const text = decodeText(call.body)
    const { link } = call.session
    const source = { device: client.id, protocol: 'coap', gateway: link.gateway, now: link.now() }
    const made = text === undefined ? 'the payload is not UTF-8' : envelopeOf(kind, text, source)
    if (typeof made === 'string') call.refuse(BAD_REQUEST, made)
    else publish(call, client, deviceTopic(client.id, leaf), propertiesOf(JSON_FORMAT, made), made)
  }
}

function data(call: Call, client: CoapClient): void {
  if (!isNamed(call)) return
  const { contentFormat } = call.target
  const properties = contentFormat === undefined ? undefined : propertiesOf(contentFormat, call.body)
  publish(call, client, deviceTopic(client.id, 'up/data'), properties)
}

/** An assigned client id would make a topic that nobody knows. */
function isNamed(call: Call): boolean {
  if (call.target.query.clientId !== undefined) return true
  call.refuse(BAD_REQUEST, 'clientid is required: it is part of the topic')
  return false
}

function resource(kind: EnvelopeKind | 'data', title: string): Resource {
  const handler: Method = { client: kind === 'data' ? data : envelope(kind) }
  return {
    methods: new Map([
      [POST, handler],
      [PUT, handler],
    ]),
    listed: { target: `/up/${kind}`, attributes: { rt: `omnigate.${kind}`, title } },
  }
}

export const upTelemetry = resource('telemetry', 'Report measurements')
export const upEvent = resource('event', 'Report an event')
export const upData = resource('data', 'Report bytes as they are')
