/** Random bytes that are the same in every run: a failure can be repeated. */

/** Numbers of mulberry32, from 0 to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Blocks of 1 to `maxBytes` random bytes. */
export function randomBlocks(seed: number, count: number, maxBytes: number): Buffer[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () =>
    Buffer.from(Array.from({ length: 1 + Math.floor(random() * maxBytes) }, () => Math.floor(random() * 256))),
  )
}

/** Copies of `bytes`, each with a few octets changed, inserted or left out. */
export function mutations(seed: number, count: number, bytes: Buffer): Buffer[] {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, () => {
    const octets = [...bytes]
    for (let changes = 1 + below(4); changes > 0; changes--) {
      octets.splice(below(octets.length), below(3), ...Array.from({ length: below(3) }, () => below(256)))
    }
    return Buffer.from(octets)
  })
}
