/** Compares a decoded message with the part of it that a vector names. Octets are written as hex. */

/** Where `actual` lacks what `expected` names, and how; undefined when it has it all. */
export function subsetFault(actual: unknown, expected: unknown, path = 'message'): string | undefined {
  if (actual instanceof Uint8Array) return same(Buffer.from(actual).toString('hex'), expected, path)
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return `${path}: ${show(actual)} is not ${show(expected)}`
    return firstFault(expected.map((item, i) => subsetFault(actual[i], item, `${path}[${i}]`)))
  }
  if (typeof expected !== 'object' || expected === null) return same(actual, expected, path)
  if (typeof actual !== 'object' || actual === null) return `${path}: ${show(actual)} is not ${show(expected)}`
  const members = actual as Readonly<Record<string, unknown>>
  return firstFault(Object.entries(expected).map(([key, value]) => subsetFault(members[key], value, `${path}.${key}`)))
}

function same(actual: unknown, expected: unknown, path: string): string | undefined {
  return Object.is(actual, expected) ? undefined : `${path}: ${show(actual)} is not ${show(expected)}`
}

function firstFault(faults: readonly (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
