/** Who talks to the server while it is killed: publishers, receivers, one who subscribes and unsubscribes, one who retains. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Cleanup } from './child.ts'
import type { Ledger, Receiver, Stream } from './crash-ledger.ts'
import { RetainedHistory } from './crash-retained.ts'
import { DurableClient } from './durable-client.ts'
import { App } from './mqtt-app.ts'

/** What all actors share. */
export interface Stage {
  readonly port: number
  /** From 0 to 1. */
  readonly random: () => number
  readonly ledger: Ledger
  readonly cleanup: Cleanup
}

const FLOW = 'crash/flow'
const TICK_MS = 20
const WINDOW = 8
const MAX_PADDING = 600
/** UNSUBACK, MQTT 5.0 3.11.3 */
const NO_SUBSCRIPTION_EXISTED = 0x11
const PACKET_IDENTIFIER_NOT_FOUND = 0x92

/** Keeps a few messages under way on its topics until it is stopped. */
export class Publisher {
  readonly durable: DurableClient
  readonly #stage: Stage
  readonly #streams: readonly Stream[]
  readonly #timer: NodeJS.Timeout
  outstanding = 0
  /** Messages that MQTT.js gave up, or that the server refused. */
  readonly refusals: string[] = []

  constructor(stage: Stage, id: string, version: 4 | 5, qos: 1 | 2) {
    this.#stage = stage
    this.#streams = ['a', 'b'].map((topic) => ({ name: `${FLOW}/${id}/${topic}`, qos }))
    for (const stream of this.#streams) stage.ledger.addStream(stream)
    this.durable = new DurableClient({ port: stage.port, id, version }, stage.cleanup)
    this.#timer = setInterval(() => this.#fill(), TICK_MS)
    stage.cleanup.after(() => this.stop())
  }

  /** What is under way comes to its end. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #fill(): void {
    const { random, ledger } = this.#stage
    while (this.durable.isReady && this.outstanding < WINDOW && random() < 0.9) {
      const { name, qos } = this.#streams[Math.floor(random() * this.#streams.length)] as Stream
      const number = ledger.send(name)
      this.outstanding++
      const payload = `${number} ${'.'.repeat(random() * MAX_PADDING)}`
      this.durable.client.publish(name, payload, { qos }, (error) => {
        this.outstanding--
        if (error && !isRecovered(error)) this.refusals.push(`${name} ${number}: ${error.message}`)
        else ledger.acknowledge(name, number)
      })
    }
  }
}

/** PUBCOMP when the server had released the message before it was killed: no error during recovery (MQTT 5.0 3.7.2.1). */
function isRecovered(error: Error): boolean {
  return 'code' in error && error.code === PACKET_IDENTIFIER_NOT_FOUND
}

/** Gets everything that publishers send, by itself or with a group. */
export async function receive(stage: Stage, receiver: Receiver, version: 4 | 5): Promise<DurableClient> {
  const { ledger, port, cleanup } = stage
  ledger.addReceiver(receiver)
  const durable = new DurableClient({ port, id: receiver.name, version }, cleanup)
  durable.onMessage((topic, text) => ledger.receive(receiver.name, topic, Number.parseInt(text, 10)))
  const filter = receiver.group === undefined ? `${FLOW}/#` : `$share/${receiver.group}/${FLOW}/#`
  await durable.ready()
  await durable.subscribe(filter, receiver.qos)
  return durable
}

/** Subscribes and unsubscribes; UNSUBACK tells whether the subscription had been there. */
export class Fickle {
  readonly durable: DurableClient
  readonly faults: string[] = []
  /** Answers that were looked at. */
  changes = 0
  readonly #stage: Stage
  readonly #filters: readonly string[]
  /** By filter, whether it is subscribed; undefined where an unacknowledged change may have happened. */
  readonly #known: Map<string, boolean | undefined>
  #isStopped = false
  readonly #ended: Promise<void>

  constructor(stage: Stage, id: string) {
    this.#stage = stage
    this.#filters = Array.from({ length: 8 }, (_, index) => `crash/fickle/${index}/+`)
    this.#known = new Map(this.#filters.map((filter) => [filter, false]))
    this.durable = new DurableClient({ port: stage.port, id, version: 5 }, stage.cleanup)
    this.#ended = this.#run()
    stage.cleanup.after(() => this.stop())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await pause(TICK_MS)
      if (this.durable.isReady) await this.#change()
    }
  }

  async #change(): Promise<void> {
    const filter = this.#filters[Math.floor(this.#stage.random() * this.#filters.length)] as string
    const known = this.#known.get(filter)
    this.#known.set(filter, undefined)
    try {
      if (known === false && this.#stage.random() < 0.7) {
        await this.durable.client.subscribeAsync(filter, { qos: 1 })
        this.#known.set(filter, true)
      } else {
        const wasThere = await this.#unsubscribe(filter)
        this.#known.set(filter, false)
        if (known !== undefined && known !== wasThere) this.faults.push(`${filter} ${known ? 'lost' : 'came back'}`)
      }
      this.changes++
    } catch {
      // The connection ended before the answer.
    }
  }

  async #unsubscribe(filter: string): Promise<boolean> {
    const answer = await this.durable.client.unsubscribeAsync(filter)
    const { granted } = answer as unknown as { readonly granted?: readonly number[] }
    return granted?.[0] !== NO_SUBSCRIPTION_EXISTED
  }
}

/** Retains values and removes them, one after the other on each topic. */
export class Retainer {
  readonly durable: DurableClient
  readonly history = new RetainedHistory()
  readonly faults: string[] = []
  outstanding = 0
  readonly #stage: Stage
  readonly #timer: NodeJS.Timeout
  #count = 0

  constructor(stage: Stage, id: string) {
    this.#stage = stage
    this.durable = new DurableClient({ port: stage.port, id, version: 5 }, stage.cleanup)
    this.#timer = setInterval(() => this.#change(), TICK_MS)
    stage.cleanup.after(() => this.stop())
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Asks as a new client does, and compares. */
  async check(): Promise<void> {
    const opened: (() => unknown)[] = []
    const mark = this.history.mark()
    const reader = await App.connect(this.#stage.port, { after: (clean) => void opened.push(clean) })
    try {
      await reader.subscribe('crash/retained/+')
      await reader.settled()
      const found = reader.messages.filter(({ packet }) => packet.retain).map(({ topic, text }) => [topic, text] as const)
      this.faults.push(...this.history.faults(mark, new Map(found)))
    } finally {
      for (const clean of opened) clean()
    }
  }

  #change(): void {
    const { random } = this.#stage
    if (!this.durable.isReady || this.outstanding >= WINDOW) return
    const topic = `crash/retained/${Math.floor(random() * 6)}`
    const text = random() < 0.2 ? '' : `value ${this.#count++}`
    const number = this.history.send(topic, text)
    this.outstanding++
    this.durable.client.publish(topic, text, { qos: random() < 0.5 ? 1 : 2, retain: true }, (error) => {
      this.outstanding--
      if (!error || isRecovered(error)) this.history.acknowledge(topic, number)
    })
  }
}
