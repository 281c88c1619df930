/**
 * Mostly one value, sometimes several by key: as the observations of a device, and the clients of an address, are. The one
 * costs nothing besides itself. Whoever holds them keeps what the functions return.
 */

export type Few<K, V extends object> = V | Map<K, V> | undefined

export function fewSize<K, V extends object>(few: Few<K, V>): number {
  if (few === undefined) return 0
  return few instanceof Map ? few.size : 1
}

export function fewGet<K, V extends object>(few: Few<K, V>, key: K, keyOf: (value: V) => K): V | undefined {
  if (few === undefined) return undefined
  if (few instanceof Map) return few.get(key)
  return keyOf(few) === key ? few : undefined
}

/** Of one key the newer value stays. */
export function fewSet<K, V extends object>(few: Few<K, V>, value: V, keyOf: (value: V) => K): Few<K, V> {
  if (few === undefined) return value
  const key = keyOf(value)
  if (few instanceof Map) return few.set(key, value)
  if (keyOf(few) === key) return value
  return new Map([
    [keyOf(few), few],
    [key, value],
  ])
}

export function fewDelete<K, V extends object>(few: Few<K, V>, key: K, keyOf: (value: V) => K): Few<K, V> {
  if (!(few instanceof Map)) return few === undefined || keyOf(few) === key ? undefined : few
  few.delete(key)
  return few.size === 0 ? undefined : few
}

/** As they are now, the oldest first: changes do not disturb whoever walks them. */
export function fewValues<K, V extends object>(few: Few<K, V>): readonly V[] {
  if (few === undefined) return []
  return few instanceof Map ? [...few.values()] : [few]
}
