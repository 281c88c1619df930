/**
 * What publishers sent and saw acknowledged, and what receivers got; and from that, what the server did wrong:
 * an acknowledged message lost (MQTT 5.0 4.3.2, 4.3.3), a QoS 2 message twice (4.3.3), messages of one publisher and
 * topic out of order (4.6).
 */

/** Messages of one publisher on one topic, numbered from 0. */
export interface Stream {
  readonly name: string
  readonly qos: 1 | 2
}

/** Receivers of one group share the messages; the others get all of them. */
export interface Receiver {
  readonly name: string
  readonly qos: 1 | 2
  readonly group?: string
}

interface Sent {
  readonly stream: Stream
  count: number
  readonly acknowledged: Set<number>
}

interface Intake {
  readonly receiver: Receiver
  /** Numbers by stream, in the order of arrival. */
  readonly arrivals: Map<string, number[]>
}

/** A QoS 1 message may come again after each restart as long as its PUBACK was under way; so often it was not. */
const MAX_ARRIVALS = 6
/** So many faults of one kind are told in full. */
const TOLD = 5

export class Ledger {
  readonly #sent = new Map<string, Sent>()
  readonly #intakes = new Map<string, Intake>()

  addStream(stream: Stream): void {
    this.#sent.set(stream.name, { stream, count: 0, acknowledged: new Set() })
  }

  addReceiver(receiver: Receiver): void {
    this.#intakes.set(receiver.name, { receiver, arrivals: new Map() })
  }

  /** The number of the next message of a stream. */
  send(stream: string): number {
    return this.#of(stream).count++
  }

  acknowledge(stream: string, number: number): void {
    this.#of(stream).acknowledged.add(number)
  }

  receive(receiver: string, stream: string, number: number): void {
    const intake = this.#intakes.get(receiver)
    if (intake === undefined) throw new Error(`no receiver ${receiver}`)
    const arrivals = intake.arrivals.get(stream)
    if (arrivals === undefined) intake.arrivals.set(stream, [number])
    else arrivals.push(number)
  }

  get acknowledged(): number {
    return [...this.#sent.values()].reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
  }

  /** Acknowledged messages that somebody still waits for: `receiver stream number`. */
  missing(): string[] {
    const missing: string[] = []
    for (const [name, intakes] of this.#parties()) {
      for (const { stream, acknowledged } of this.#sent.values()) {
        const got = new Set(intakes.flatMap(({ arrivals }) => arrivals.get(stream.name) ?? []))
        for (const number of acknowledged) if (!got.has(number)) missing.push(`${name} ${stream.name} ${number}`)
      }
    }
    return missing
  }

  /** `receiver stream number`, for those that count as exactly once. */
  twice(): string[] {
    const twice: string[] = []
    for (const [name, intakes] of this.#parties()) {
      const qos = Math.min(...intakes.map(({ receiver }) => receiver.qos))
      for (const { stream } of this.#sent.values()) {
        if (Math.min(stream.qos, qos) < 2) continue
        const got = new Set<number>()
        for (const number of intakes.flatMap(({ arrivals }) => arrivals.get(stream.name) ?? [])) {
          if (got.has(number)) twice.push(`${name} ${stream.name} ${number}`)
          got.add(number)
        }
      }
    }
    return twice
  }

  /** `receiver stream number` of messages whose first arrival came after that of a later one. A group has no order. */
  disordered(): string[] {
    const disordered: string[] = []
    for (const { receiver, arrivals } of this.#intakes.values()) {
      if (receiver.group !== undefined) continue
      for (const [stream, numbers] of arrivals) {
        const got = new Set<number>()
        let highest = -1
        for (const number of numbers) {
          if (!got.has(number) && number < highest) disordered.push(`${receiver.name} ${stream} ${number} after ${highest}`)
          got.add(number)
          highest = Math.max(highest, number)
        }
      }
    }
    return disordered
  }

  /** `receiver stream number` of messages that came again and again, as if their acknowledgements were not stored. */
  repeated(): string[] {
    const repeated: string[] = []
    for (const { receiver, arrivals } of this.#intakes.values()) {
      for (const [stream, numbers] of arrivals) {
        const times = new Map<number, number>()
        for (const number of numbers) times.set(number, (times.get(number) ?? 0) + 1)
        for (const [number, count] of times) if (count > MAX_ARRIVALS) repeated.push(`${receiver.name} ${stream} ${number}`)
      }
    }
    return repeated
  }

  /** Arrivals of what was never sent. */
  invented(): string[] {
    const invented: string[] = []
    for (const { receiver, arrivals } of this.#intakes.values()) {
      for (const [stream, numbers] of arrivals) {
        const count = this.#sent.get(stream)?.count ?? 0
        for (const number of numbers) if (!(number < count)) invented.push(`${receiver.name} ${stream} ${number}`)
      }
    }
    return invented
  }

  /** One line per kind of fault, in words; none when all is well. */
  faults(): string[] {
    return [
      told('acknowledged and lost', this.missing()),
      told('QoS 2 and more than once', this.twice()),
      told('acknowledged again and again', this.repeated()),
      told('out of order', this.disordered()),
      told('never sent', this.invented()),
    ].flat()
  }

  /** Groups and single receivers. */
  #parties(): Map<string, Intake[]> {
    const parties = new Map<string, Intake[]>()
    for (const intake of this.#intakes.values()) {
      const name = intake.receiver.group ?? intake.receiver.name
      parties.set(name, [...(parties.get(name) ?? []), intake])
    }
    return parties
  }

  #of(stream: string): Sent {
    const sent = this.#sent.get(stream)
    if (sent === undefined) throw new Error(`no stream ${stream}`)
    return sent
  }
}

/** `what: 3 times: first; second; third`. */
export function told(what: string, cases: readonly string[]): string[] {
  if (cases.length === 0) return []
  const rest = cases.length > TOLD ? '; ...' : ''
  return [`${what}: ${cases.length} times: ${cases.slice(0, TOLD).join('; ')}${rest}`]
}
