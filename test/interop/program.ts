/** Foreign programs: where they are, and what their absence means. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Set to 1 where every program must be there, as in CI: then a test fails instead of being skipped. */
const isRequired = process.env['OMNIGATE_REQUIRE_INTEROP'] === '1'

/** Where some systems keep programs that not every user has on the path. */
const MORE_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/bin']

function find(name: string): string | undefined {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}

/** Path of the first of these names that is installed. */
export function program(...names: readonly string[]): string {
  for (const name of names) {
    const file = find(name)
    if (file !== undefined) return file
  }
  throw new Error(`${names.join(' or ')} is not installed, and OMNIGATE_REQUIRE_INTEROP demands it`)
}

/** For `skip`: which program is missing, or false. Alternatives are separated by `|`. */
export function lacking(...programs: readonly string[]): string | false {
  const missing = programs.filter((names) => !names.split('|').some((name) => find(name) !== undefined))
  return missing.length === 0 || isRequired
    ? false
    : `${missing.map((names) => names.replaceAll('|', ' or ')).join(', ')} is not installed`
}

/** capabilities(7) */
const CAP_NET_RAW = 13n

/** For `skip`: why this process cannot capture packets, or false. */
export function cannotCapture(): string | false {
  const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> CAP_NET_RAW) & 1n) === 1n ? false : 'to capture packets takes CAP_NET_RAW'
}
