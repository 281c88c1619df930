/** `/up/telemetry`, `/up/event`, `/up/data`, `/up/response`: the device's own unified topics, without naming them. */
import { type DeviceTopic, deviceTopic } from '#sdk'
import { BAD_REQUEST, NOT_FOUND, POST, PUT, UNSUPPORTED_CONTENT_FORMAT } from '#stacks/coap/codes'
import { contentFormat, JSON_FORMAT, OCTET_STREAM, TEXT } from '#stacks/coap/content-formats'
import { decodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { parseAnswer } from '../commands.ts'
import { type EnvelopeKind, envelopeOf } from '../envelope.ts'
import { publish } from '../publishing.ts'
import { propertiesOf } from '../representation.ts'
import { isNamed } from './named.ts'
import type { ClientHandler, Method, Resource } from './resource.ts'

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
    else publish(call, client, deviceTopic(client.id, leaf), { properties: propertiesOf(JSON_FORMAT, made), payload: made })
  }
}

function data(call: Call, client: CoapClient): void {
  if (!isNamed(call)) return
  const { contentFormat } = call.target
  const properties = contentFormat === undefined ? undefined : propertiesOf(contentFormat, call.body)
  publish(call, client, deviceTopic(client.id, 'up/data'), { properties })
}

/** The answer to a command: the response on `up/response` is the desk's, so that each command has exactly one. */
function response(call: Call, client: CoapClient): void {
  if (!isNamed(call)) return
  const text = decodeText(call.body)
  const answer = text === undefined ? 'the payload is not UTF-8' : parseAnswer(text)
  if (typeof answer === 'string') call.refuse(BAD_REQUEST, answer)
  else if (!client.commands.has(answer.id)) call.refuse(NOT_FOUND, 'no command with this id waits for an answer')
  else client.answerLater(call, (tag) => client.commands.answer(answer, tag))
}

function resource(kind: string, client: ClientHandler, title: string): Resource {
  const handler: Method = { client }
  return {
    methods: new Map([
      [POST, handler],
      [PUT, handler],
    ]),
    listed: { target: `/up/${kind}`, attributes: { rt: `omnigate.${kind}`, title } },
  }
}

export const upTelemetry = resource('telemetry', envelope('telemetry'), 'Report measurements')
export const upEvent = resource('event', envelope('event'), 'Report an event')
export const upData = resource('data', data, 'Report bytes as they are')
export const upResponse = resource('response', response, 'Answer a command')
