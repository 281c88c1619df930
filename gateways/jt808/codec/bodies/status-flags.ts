/** Names of the status flags of a location report (JT/T 808 table 25; 2011 has fewer, 2019 more). */

/** Bit 0 first; undefined where a bit has no name of its own. */
const NAMES: readonly (string | undefined)[] = [
  'acc-on',
  'positioned',
  'south',
  'west',
  'out-of-service',
  'coordinates-encrypted',
  'forward-collision-warning', // 2019
  'lane-departure-warning', // 2019
  undefined, // 8 and 9 are one number: the load
  undefined,
  'fuel-cut',
  'power-cut',
  'doors-locked',
  'front-door-open',
  'middle-door-open',
  'rear-door-open',
  'driver-door-open',
  'fifth-door-open',
  'gps',
  'beidou',
  'glonass',
  'galileo',
  'moving', // 2019
]

const LOAD_SHIFT = 8
/** By the number in bits 8 and 9; 0 is empty, 2 reserved. */
const LOADS: readonly (string | undefined)[] = [undefined, 'half-loaded', undefined, 'loaded']

/** What vehicles are in, of the few states that they are in. */
const known = new Map<number, readonly string[]>()
const MAX_KNOWN = 1024

export function statusNames(flags: number): readonly string[] {
  let names = known.get(flags)
  if (names === undefined) {
    const load = LOADS[(flags >>> LOAD_SHIFT) & 3]
    names = [...NAMES, load].filter(
      (name, bit) => name !== undefined && (name === load || (flags & (1 << bit)) !== 0),
    ) as string[]
    if (known.size === MAX_KNOWN) known.clear()
    known.set(flags, names)
  }
  return names
}
