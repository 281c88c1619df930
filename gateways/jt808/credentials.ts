/**
 * Authentication codes: what a terminal is given when it registers and must present afterwards. An issued code is derived from a
 * secret and the phone number, so that none needs to be kept: it survives restarts and is the same on every node with that secret.
 */
import { toHex } from '#bytes/hex'
import type { Keys, Link } from '#sdk'
import type { Config } from './config.ts'

const CODE_OCTETS = 8
const SECRET_OCTETS = 32

export class Credentials {
  readonly #keys: Keys
  #policy: Config['auth']
  /** Stands for the secret that the config does not give; drawn when the first code is issued. */
  #drawn: string | undefined = undefined
  /** Phones that must register again before their code is accepted; oldest first. */
  readonly #deregistered = new Set<string>()

  constructor(policy: Config['auth'], keys: Keys) {
    this.#policy = policy
    this.#keys = keys
  }

  set policy(next: Config['auth']) {
    this.#policy = next
    this.#trim()
  }

  /** The code for a terminal that registers: the same each time. */
  issue(phone: string, link: Link): string {
    this.#drawn ??= toHex(link.random(SECRET_OCTETS))
    this.#deregistered.delete(phone)
    return this.#codeOf(phone) as string
  }

  /** Not for mode `http`, where the service knows. */
  accepts(phone: string, code: string): boolean {
    if (this.#policy.mode === 'open') return true
    const expected = this.#codeOf(phone)
    return expected !== undefined && !this.#deregistered.has(phone) && isSame(expected, code)
  }

  /** The terminal deregistered. */
  forget(phone: string, link: Link): void {
    if (this.#policy.mode !== 'issued') return
    this.#deregistered.delete(phone)
    this.#deregistered.add(phone)
    if (this.#trim() > 0) link.count('deregistration-forgotten')
  }

  #codeOf(phone: string): string | undefined {
    const { code, secret = this.#drawn } = this.#policy
    if (code !== undefined || secret === undefined) return code
    return toHex(this.#keys.mac(secret, phone), 0, CODE_OCTETS)
  }

  /** Returns how many it forgot. */
  #trim(): number {
    const before = this.#deregistered.size
    for (const phone of this.#deregistered) {
      if (this.#deregistered.size <= this.#policy.maxDeregistered) break
      this.#deregistered.delete(phone)
    }
    return before - this.#deregistered.size
  }
}

/** Takes as long for a near miss as for a far one. */
export function isSame(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}
