/** Authentication codes: what a terminal is given when it registers and must present afterwards. */
import { toHex } from '#bytes/hex'
import type { Link } from '#sdk'
import type { Config } from './config.ts'

const CODE_OCTETS = 8

export class Credentials {
  #policy: Config['auth']
  /** Phone to code, oldest first. */
  readonly #issued = new Map<string, string>()

  constructor(policy: Config['auth']) {
    this.#policy = policy
  }

  set policy(next: Config['auth']) {
    this.#policy = next
    this.#trim()
  }

  /** The code for a terminal that registers. A terminal that repeats its registration gets the same code again. */
  issue(phone: string, link: Link): string {
    const code = this.#policy.code ?? this.#issued.get(phone) ?? toHex(link.random(CODE_OCTETS))
    if (this.#policy.mode !== 'issued') return code
    this.#issued.delete(phone)
    this.#issued.set(phone, code)
    if (this.#trim() > 0) link.count('code-forgotten')
    return code
  }

  accepts(phone: string, code: string): boolean {
    const { mode } = this.#policy
    if (mode === 'open') return true
    return code === (mode === 'static' ? this.#policy.code : this.#issued.get(phone))
  }

  /** The terminal deregistered. */
  forget(phone: string): void {
    this.#issued.delete(phone)
  }

  /** Returns how many codes it forgot. */
  #trim(): number {
    const before = this.#issued.size
    for (const phone of this.#issued.keys()) {
      if (this.#issued.size <= this.#policy.maxIssued) break
      this.#issued.delete(phone)
    }
    return before - this.#issued.size
  }
}
