/**
 * Long messages of one terminal, put together from their parts (JT/T 808 4.4.3): in any order, repeated or not, several at
 * once. Parts of one message have consecutive serial numbers, so the number of its first part tells it from others; devices
 * that count otherwise are met half-way: a part belongs to the open message whose numbers it could not share with another.
 * Everything is bounded: what goes beyond is refused with a reason.
 */
import { type Header, SERIALS } from './codec/index.ts'

export interface AssemblyLimits {
  readonly maxParts: number
  /** Octets of one message. */
  readonly maxBytes: number
  /** Messages at once; beyond it the oldest is given up. */
  readonly maxAssemblies: number
}

/** Octets that all terminals together keep, with what keeping them takes. */
export interface Budget {
  used: number
  readonly limit: number
}

export interface Assembly {
  readonly id: number
  /** How its parts are encrypted: all of them alike. */
  readonly encryption: number
  /** Serial number of the first part. */
  readonly firstSn: number
  readonly total: number
  /** By number of the part, from 0. */
  readonly parts: Map<number, Uint8Array>
  /** A fingerprint of each part's frame, to recognise one that comes again when all is over. */
  readonly prints: Map<number, number>
  bytes: number
  /** Octets of the budget. */
  cost: number
  /** When the last new part came. */
  lastAt: number
  /** How often missing parts were asked for since then. */
  asked: number
}

/** `repeated`: a part that is there already, or of a message that is complete. */
export type Addition =
  | { readonly kind: 'kept' | 'repeated' }
  | { readonly kind: 'complete'; readonly body: Uint8Array; readonly assembly: Assembly }
  | { readonly kind: 'refused'; readonly reason: 'bad-part' | 'too-many-parts' | 'message-too-long' | 'no-memory' }

/** Complete messages that repetitions are recognised of. */
const MAX_FINISHED = 8

/** What a part takes besides its octets: an array and its places in two maps. An empty part is not free. */
export const PART_COST = 256

export class Assemblies {
  readonly #budget: Budget
  /** Oldest first. */
  readonly #open: Assembly[] = []
  readonly #finished: { readonly id: number; readonly prints: Uint32Array }[] = []

  constructor(budget: Budget) {
    this.#budget = budget
  }

  get open(): readonly Assembly[] {
    return this.#open
  }

  /** Adds a part; `print` is a fingerprint of its frame. `given up` learns of each message that had to make room. */
  add(header: Header, body: Uint8Array, print: number, now: number, limits: AssemblyLimits, givenUp: () => void): Addition {
    const { id, sn, encryption, part } = header
    if (part === undefined || part.sn === 0 || part.sn > part.total) return { kind: 'refused', reason: 'bad-part' }
    const index = part.sn - 1
    const firstSn = (sn - index + SERIALS) % SERIALS
    let assembly = this.#find(header, firstSn, part.total)
    if (assembly?.parts.has(index) === true) return { kind: 'repeated' }
    if (assembly === undefined) {
      if (this.#finished.some((one) => one.id === id && one.prints[index] === print >>> 0)) return { kind: 'repeated' }
      if (part.total > limits.maxParts) return { kind: 'refused', reason: 'too-many-parts' }
    }
    if ((assembly?.bytes ?? 0) + body.length > limits.maxBytes) {
      if (assembly !== undefined) this.drop(assembly)
      return { kind: 'refused', reason: 'message-too-long' }
    }
    const cost = PART_COST + body.length
    if (this.#budget.used + cost > this.#budget.limit) return { kind: 'refused', reason: 'no-memory' }
    if (assembly === undefined) {
      while (this.#open.length >= limits.maxAssemblies) {
        this.drop(this.#open[0] as Assembly)
        givenUp()
      }
      const sofar = { parts: new Map(), prints: new Map(), bytes: 0, cost: 0, lastAt: now, asked: 0 }
      assembly = { id, encryption, firstSn, total: part.total, ...sofar }
      this.#open.push(assembly)
    }
    assembly.parts.set(index, new Uint8Array(body))
    assembly.prints.set(index, print)
    assembly.bytes += body.length
    assembly.cost += cost
    assembly.lastAt = now
    assembly.asked = 0
    this.#budget.used += cost
    return assembly.parts.size < assembly.total ? { kind: 'kept' } : this.#complete(assembly)
  }

  drop(assembly: Assembly): void {
    const at = this.#open.indexOf(assembly)
    if (at === -1) return
    this.#open.splice(at, 1)
    this.#budget.used -= assembly.cost
  }

  clear(): void {
    for (const assembly of [...this.#open]) this.drop(assembly)
    this.#finished.length = 0
  }

  #find({ id, encryption }: Header, firstSn: number, total: number): Assembly | undefined {
    let near: Assembly | undefined
    for (const assembly of this.#open) {
      if (assembly.id !== id || assembly.encryption !== encryption || assembly.total !== total) continue
      if (assembly.firstSn === firstSn) return assembly
      const distance = (firstSn - assembly.firstSn + SERIALS) % SERIALS
      // Two messages of a terminal that counts as it should are further apart than this.
      if (distance < total || SERIALS - distance < total) near = assembly
    }
    return near
  }

  #complete(assembly: Assembly): Addition {
    this.drop(assembly)
    const prints = Uint32Array.from({ length: assembly.total }, (_, index) => assembly.prints.get(index) ?? 0)
    this.#finished.push({ id: assembly.id, prints })
    if (this.#finished.length > MAX_FINISHED) this.#finished.shift()
    const body = new Uint8Array(assembly.bytes)
    let at = 0
    for (let index = 0; index < assembly.total; index++) {
      const part = assembly.parts.get(index) as Uint8Array
      body.set(part, at)
      at += part.length
    }
    return { kind: 'complete', body, assembly }
  }
}

/** Numbers, from 1, of the parts that have not come; at most `limit` of them. */
export function missingParts(assembly: Assembly, limit: number): number[] {
  const missing: number[] = []
  for (let index = 0; index < assembly.total && missing.length < limit; index++) {
    if (!assembly.parts.has(index)) missing.push(index + 1)
  }
  return missing
}
