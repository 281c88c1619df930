/** A publisher and a subscriber that behave well, while others do not: nothing of theirs may get lost or stuck. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cleanup } from './child.ts'
import { App } from './mqtt-app.ts'
import { until } from './waiting.ts'

const TOPIC = 'pair/steady'
const INTERVAL_MS = 5

export class Pair {
  readonly #publisher: App
  readonly #subscriber: App
  #sent = 0
  #received = 0
  #isRunning = true
  #run: Promise<void> = Promise.resolve()

  private constructor(publisher: App, subscriber: App) {
    this.#publisher = publisher
    this.#subscriber = subscriber
  }

  static async start(port: number, cleanup: Cleanup): Promise<Pair> {
    const subscriber = await App.connect(port, cleanup)
    await subscriber.subscribe(TOPIC)
    const pair = new Pair(await App.connect(port, cleanup), subscriber)
    subscriber.client.on('message', () => pair.#received++)
    cleanup.after(() => {
      pair.#isRunning = false
    })
    pair.#run = pair.#publishOn()
    pair.#run.catch(() => {}) // whoever advances or stops learns of it
    return pair
  }

  /** Waits until `count` more messages have made their way. */
  async advance(count: number): Promise<void> {
    const goal = this.#received + count
    await until(
      () => `the pair to exchange ${count} messages: ${goal - this.#received} are missing`,
      () => this.#received >= goal,
    )
  }

  /** Ends it; every message has arrived once and in order. */
  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#run
    await until('the last message of the pair', () => this.#received >= this.#sent)
    assert.deepEqual(
      this.#subscriber.on(TOPIC).map(({ text }) => Number(text)),
      Array.from({ length: this.#sent }, (_, i) => i),
    )
  }

  async #publishOn(): Promise<void> {
    while (this.#isRunning) {
      await this.#publisher.publish(TOPIC, String(this.#sent))
      this.#sent++
      await pause(INTERVAL_MS)
    }
  }
}
