/**
 * Topic names by their octets. A device publishes to few topics, so the string (already checked, its hash already
 * known to the core's tables) is found instead of made. Direct mapped: a collision costs a decode, nothing else.
 */
import { isTopicName } from '#sdk'

const SLOTS = 8192
const LONGEST_CACHED = 256
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // [MQTT-1.5.4-3]: a BOM is never stripped

export class TopicCache {
  readonly #octets: (Uint8Array | undefined)[] = new Array(SLOTS)
  readonly #names: (string | undefined)[] = new Array(SLOTS)

  /** The topic name in `bytes[start, end)`; undefined when it is not one (UTF-8, wildcards, NUL, empty). */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start
    if (length > LONGEST_CACHED) return decodeTopic(bytes, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    const cached = this.#octets[slot]
    if (cached !== undefined && cached.length === length) {
      let i = 0
      while (i < length && cached[i] === bytes[start + i]) i++
      if (i === length) return this.#names[slot]
    }
    const name = decodeTopic(bytes, start, end)
    if (name !== undefined) {
      this.#octets[slot] = bytes.slice(start, end)
      this.#names[slot] = name
    }
    return name
  }
}

function decodeTopic(bytes: Uint8Array, start: number, end: number): string | undefined {
  const name = decodeString(bytes, start, end)
  return name !== undefined && isTopicName(name) ? name : undefined
}

/** A UTF-8 string as MQTT allows it: well formed, no surrogates, no NUL [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    const text = decoder.decode(bytes.subarray(start, end))
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}
