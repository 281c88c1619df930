/** An application of a script: what it publishes and receives. */

import { durationMs } from '../sdk/schema.ts'
import type { Properties, QoS } from '../sdk.ts'
import type { AppClient, Received } from './app-client.ts'
import { hex, unhex } from './bytes.ts'
import type { Captures } from './lockstep-pattern.ts'
import { fill, matchesHex, matchesText, tokens } from './lockstep-pattern.ts'

const OPTION = /^(?:qos=[012]|retain|expires=\d+(?:\.\d+)?(?:ms|s|m|h|d)|respond=\S+|correlate=\S+|type=\S+)$/

interface Line {
  readonly topic: string
  readonly payload: string
  readonly options: ReadonlyMap<string, string>
}

/** `topic payload... qos=1 retain`: the payload may hold spaces, options stand behind it. */
function parseLine(text: string): Line {
  const [topic = '', ...rest] = tokens(text)
  const options = new Map<string, string>()
  while (OPTION.test(rest.at(-1) ?? '')) {
    const [name = '', value = ''] = (rest.pop() as string).split(/=(.*)/s)
    options.set(name, value)
  }
  return { topic, payload: rest.join(' '), options }
}

export class ScriptApp {
  readonly #client: AppClient
  readonly #now: () => number
  readonly #unread: Received[] = []

  constructor(client: AppClient, now: () => number) {
    this.#client = client
    this.#now = now
  }

  /** Messages that the script has not looked at. */
  get unread(): readonly Received[] {
    this.#unread.push(...this.#client.take())
    return this.#unread
  }

  subscribe(filter: string, options: readonly string[]): void {
    const qos = Number(options.find((option) => option.startsWith('qos='))?.slice(4) ?? 0) as QoS
    const outcome = this.#client.subscribe(filter, { qos })
    if (typeof outcome !== 'number') throw new Error(`the subscription was refused: ${outcome}`)
  }

  unsubscribe(filter: string): void {
    if (!this.#client.unsubscribe(filter)) throw new Error('there is no such subscription')
  }

  leave(): void {
    this.#client.disconnect()
  }

  publish(text: string, captures: Captures): void {
    const { topic, payload, options } = parseLine(fill(text, captures))
    const expires = options.get('expires')
    const properties: Properties = {
      ...(options.has('type') && { contentType: options.get('type') as string }),
      ...(options.has('respond') && { responseTopic: options.get('respond') as string }),
      ...(options.has('correlate') && { correlationData: new TextEncoder().encode(options.get('correlate')) }),
    }
    this.#client.publish(topic, bytesOf(payload), {
      qos: Number(options.get('qos') ?? 0) as QoS,
      retain: options.has('retain'),
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(expires !== undefined && { expiresAt: this.#now() + durationMs(expires) }),
    })
  }

  /** Takes the next message; answers what it was when it is not what the pattern says. */
  hear(pattern: string, captures: Captures): string | undefined {
    const received = this.unread[0]
    if (received === undefined) return 'nothing'
    this.#unread.shift()
    return isMatch(parseLine(pattern), received, captures) ? undefined : printReceived(received)
  }
}

function isMatch({ topic, payload, options }: Line, received: Received, captures: Captures): boolean {
  const qos = options.get('qos')
  const correlate = options.get('correlate')
  const { properties } = received.message
  return (
    matchesText(topic, received.topic, captures) &&
    options.has('retain') === received.retain &&
    (qos === undefined || Number(qos) === received.qos) &&
    (correlate === undefined || correlate === new TextDecoder().decode(properties?.correlationData)) &&
    (!options.has('type') || options.get('type') === properties?.contentType) &&
    (payload === '' ||
      (payload.startsWith('hex ')
        ? matchesHex(payload.slice(4), received.payload)
        : matchesText(payload, JSON.stringify(received.text), captures)))
  )
}

export function printReceived({ topic, payload, text, qos, retain, message }: Received): string {
  const type = message.properties?.contentType
  const shown = new TextEncoder().encode(text).length === payload.length ? quoted(text) : `hex ${hex(payload)}`
  return `${topic} ${shown} qos=${qos}${retain ? ' retain' : ''}${type === undefined ? '' : ` type=${type}`}`
}

function quoted(text: string): string {
  return /^[[{]/.test(text) ? text : JSON.stringify(text)
}

/** `hex 01 02`, `"text"`, or the words as they stand. */
function bytesOf(payload: string): Uint8Array {
  if (payload.startsWith('hex ')) return unhex(payload.slice(4))
  return new TextEncoder().encode(payload.startsWith('"') ? (JSON.parse(payload) as string) : payload)
}
