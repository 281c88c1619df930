/**
 * Asks the access control about one client. The verdict comes at once or later, and maybe behind challenges that the
 * device has to answer first. A source that fails never lets anybody in.
 */
import type { Access, Challenge, Credentials, Step, Verdict } from '../auth/access.ts'

export interface Inquirer {
  /** The access control takes its time. */
  wait(): void
  /** It has answered: `act` goes on with it, as an event of its own. */
  resume(act: () => void): void
  /** The device has to answer: `answer` takes what it says. */
  challenge(data: Uint8Array | undefined): void
  /** Called once. */
  decided(verdict: Verdict): void
  /** The access control broke. */
  failed(error: unknown): void
}

const UNKNOWN_METHOD: Verdict = { ok: false, reason: 'unknown-method' }
const UNAVAILABLE: Verdict = { ok: false, reason: 'unavailable' }

export class Inquiry {
  readonly #inquirer: Inquirer
  #challenge: Challenge | undefined = undefined

  constructor(inquirer: Inquirer) {
    this.#inquirer = inquirer
  }

  begin(access: Access, credentials: Credentials): void {
    const byMethod = credentials.request.authentication !== undefined
    this.#take(byMethod ? (access.exchange?.(credentials) ?? UNKNOWN_METHOD) : access.authenticate(credentials))
  }

  /** What the device says to the challenge; without one it means nothing. */
  answer(data: Uint8Array | undefined): void {
    const challenge = this.#challenge
    this.#challenge = undefined
    if (challenge !== undefined) this.#take(challenge.answer(data))
  }

  #take(step: Step | Promise<Step>): void {
    if (!(step instanceof Promise)) {
      this.#settle(step)
      return
    }
    this.#inquirer.wait()
    step.then(
      (answer) => this.#inquirer.resume(() => this.#settle(answer)),
      (error: unknown) => {
        this.#inquirer.failed(error)
        this.#inquirer.resume(() => this.#settle(UNAVAILABLE))
      },
    )
  }

  #settle(step: Step): void {
    if ('answer' in step) {
      this.#challenge = step
      this.#inquirer.challenge(step.data)
    } else this.#inquirer.decided(step)
  }
}
