/** What was retained on each topic in the order it was sent, and which values a reader may find. */

/** By topic, the number of the last acknowledged change; -1 before the first. */
export type Mark = ReadonlyMap<string, number>

interface History {
  /** An empty text removes the retained message (MQTT 5.0 3.3.1.3). */
  readonly texts: string[]
  acknowledged: number
}

export class RetainedHistory {
  readonly #histories = new Map<string, History>()

  /** Answers the number of the change. */
  send(topic: string, text: string): number {
    const history = this.#histories.get(topic) ?? { texts: [], acknowledged: -1 }
    this.#histories.set(topic, history)
    return history.texts.push(text) - 1
  }

  acknowledge(topic: string, number: number): void {
    const history = this.#histories.get(topic)
    if (history !== undefined) history.acknowledged = Math.max(history.acknowledged, number)
  }

  mark(): Mark {
    return new Map([...this.#histories].map(([topic, { acknowledged }]) => [topic, acknowledged]))
  }

  /** What is wrong with `found`, by topic, in the eyes of one who asked after `mark` was taken. */
  faults(mark: Mark, found: ReadonlyMap<string, string>): string[] {
    const faults: string[] = []
    for (const [topic, { texts }] of this.#histories) {
      const oldest = mark.get(topic) ?? -1
      const text = found.get(topic) ?? ''
      const isAllowed = texts.some((sent, number) => number >= oldest && sent === text) || (oldest < 0 && text === '')
      if (!isAllowed) faults.push(`${topic} holds "${text}", acknowledged was "${texts[oldest] ?? ''}"`)
    }
    return faults
  }
}
