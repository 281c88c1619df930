/**
 * A tiny gateway to try the properties on, sound or with one defect: lines that end with LF, `LOGIN id` and `DATA text`,
 * each answered with `OK` or `ERR`.
 */
import * as z from 'zod'
import type { ConnectOutcome, Framer, FrameSink, GatewayModule, Link, Malformed, Session, WireFormat } from '../../src/sdk.ts'
import { defineGateway, isMalformed, Message, malformed } from '../../src/sdk.ts'
import type { Subject } from './subject.ts'

export type Defect =
  | 'answers each chunk'
  | 'drops a partial line'
  | 'encodes something else'
  | 'throws'
  | 'ignores what it cannot read'
  | 'keeps its client for ever'
  | 'counts across connections'

interface Line {
  readonly verb: 'LOGIN' | 'DATA'
  readonly text: string
}

const LF = 10
const LONGEST_LINE = 256
const encoder = new TextEncoder()
const decoder = new TextDecoder('latin1')

class LineFramer implements Framer {
  readonly #forgetful: boolean
  #rest = Buffer.alloc(0)

  constructor(forgetful: boolean) {
    this.#forgetful = forgetful
  }

  get buffered(): number {
    return this.#rest.length
  }

  reset(): void {
    this.#rest = Buffer.alloc(0)
  }

  push(chunk: Uint8Array, sink: FrameSink): void {
    let bytes = Buffer.concat([this.#rest, chunk])
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF)) {
      sink.frame(bytes.subarray(0, end + 1))
      bytes = bytes.subarray(end + 1)
    }
    this.#rest = this.#forgetful ? Buffer.alloc(0) : Buffer.from(bytes)
    if (this.#rest.length <= LONGEST_LINE) return
    this.reset()
    sink.malformed(malformed('line-too-long', 0, true))
  }
}

function decode(frame: Uint8Array): Line | Malformed {
  const [, verb, text] = /^(LOGIN|DATA) ([!-~]{1,64})\n$/.exec(decoder.decode(frame)) ?? []
  return verb === undefined || text === undefined ? malformed('no-line') : { verb: verb as Line['verb'], text }
}

function wireWith(defect: Defect | undefined): WireFormat<Line> {
  const encode = ({ verb, text }: Line): Uint8Array => encoder.encode(`${verb} ${text}\n`)
  return {
    codec: {
      decode,
      encode: defect === 'encodes something else' ? (line) => encode({ ...line, text: `${line.text}!` }) : encode,
    },
    framer: () => new LineFramer(defect === 'drops a partial line'),
  }
}

let connections = 0

class LineSession implements Session {
  readonly #link: Link
  readonly #defect: Defect | undefined
  readonly #framer: Framer
  #online = false

  constructor(link: Link, defect: Defect | undefined) {
    connections++
    this.#link = link
    this.#defect = defect
    this.#framer = new LineFramer(defect === 'drops a partial line')
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#defect === 'answers each chunk') this.#say('GOT')
    this.#framer.push(bytes, { frame: (line) => this.#onLine(line), malformed: (error) => this.#refuse(error) })
  }

  #onLine(frame: Uint8Array): undefined {
    const line = decode(frame)
    if (isMalformed(line)) {
      if (this.#defect === 'throws') throw new Error('no line')
      if (this.#defect !== 'ignores what it cannot read') this.#refuse(line)
    } else if (line.verb === 'LOGIN') {
      const expiryMs = this.#defect === 'keeps its client for ever' ? Number.POSITIVE_INFINITY : 0
      this.#link.connect({ clientId: line.text, protocol: 'line', cleanStart: true, expiryMs, keepAliveMs: 0 })
    } else if (this.#online) {
      this.#link.publish(new Message('data', encoder.encode(line.text)))
      this.#say(this.#defect === 'counts across connections' ? `OK ${connections}` : 'OK')
    } else this.#say('ERR')
  }

  #refuse(error: Malformed): void {
    this.#link.malformed(error)
    if (error.fatal) this.#link.close('protocol-error')
  }

  #say(text: string): void {
    this.#link.send(encoder.encode(`${text}\n`))
  }

  onConnect(outcome: ConnectOutcome): void {
    this.#online = outcome.ok
    this.#say(outcome.ok ? 'OK' : 'ERR')
  }

  onTimer(): void {}
  onDeliver(): void {}
  onClose(): void {}
}

export function lineSubject(defect?: Defect): Subject {
  const wire = wireWith(defect)
  const module: GatewayModule = defineGateway({
    name: 'line',
    title: 'Lines',
    spec: 'line',
    transports: ['tcp'],
    listeners: [],
    config: z.strictObject({}),
    create: () => ({ open: (link) => new LineSession(link, defect) }),
  })
  const frames = ['LOGIN a\n', 'LOGIN b\n', 'DATA 21.5\n', 'DATA x\n'].map((line) => ({
    bytes: encoder.encode(line),
    wire,
    canonical: true,
  }))
  return { name: 'line', module, datagram: false, wire, frames, malformed: [encoder.encode('NOTHING\n')] }
}
