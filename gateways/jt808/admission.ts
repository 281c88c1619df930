/**
 * How one terminal gets in: registration (JT/T 808 8.5, 8.6) and authentication (8.8), decided here, by HTTP services, or by anybody's
 * code. What was refused too often on one connection ends it.
 */
import type { Answer, Link } from '#sdk'
import { shown } from './codec/bodies/text.ts'
import { type Of, Result } from './codec/index.ts'
import { isSame } from './credentials.ts'
import { readRegistration, registrationQuestion } from './registry.ts'
import type { Shared } from './shared.ts'
import type { Speaker } from './speaker.ts'

/** Names of the services, and of the questions to them. */
export const REGISTRY = 'registry'
export const AUTHENTICATION = 'authentication'

/** Tags of the questions. */
const ASKED_REGISTRY = 1
const ASKED_AUTHENTICATION = 2

/** JT/T 808 8.6: 1 the vehicle is registered already. It is also what a terminal is told when nobody could decide. */
const UNDECIDED = 1

export interface Decisions {
  /** The terminal has its code. */
  registered(message: Of<'register'>): void
  /** Its code is right; it has not been answered yet. */
  authenticated(message: Of<'authenticate'>): void
}

export class Admission {
  readonly #shared: Shared
  readonly #link: Link
  readonly #speaker: Speaker
  readonly #decisions: Decisions
  /** Registrations, and authentications that were refused, since the terminal came. */
  #attempts = 0
  /** What the registration of this connection gave. */
  #given: { readonly phone: string; readonly code: string } | undefined = undefined
  /** What a service is being asked about. The host holds back everything else meanwhile. */
  #pending: Of<'register'> | Of<'authenticate'> | undefined = undefined

  constructor(shared: Shared, link: Link, speaker: Speaker, decisions: Decisions) {
    this.#shared = shared
    this.#link = link
    this.#speaker = speaker
    this.#decisions = decisions
  }

  register(message: Of<'register'>): void {
    if (!this.#spend()) return
    const { phone } = message.header
    if (this.#shared.config.auth.mode !== 'http') {
      this.#registered(message, Result.ok, this.#shared.credentials.issue(phone, this.#link))
      return
    }
    this.#pending = message
    this.#link.ask(REGISTRY, registrationQuestion(message), ASKED_REGISTRY)
  }

  authenticate(message: Of<'authenticate'>): void {
    const { phone } = message.header
    const given = this.#given
    if (given !== undefined && given.phone !== phone) {
      this.#link.count('foreign-phone')
      this.refuse(message)
      return
    }
    const code = shown(message.body.code)
    if (this.#shared.config.auth.mode !== 'http') this.#decide(message, this.#shared.credentials.accepts(phone, code))
    else if (given !== undefined) this.#decide(message, isSame(given.code, code))
    else {
      this.#pending = message
      this.#link.ask(AUTHENTICATION, { code, phone }, ASKED_AUTHENTICATION)
    }
  }

  /** A service has answered. */
  answered(tag: number, answer: Answer): void {
    const message = this.#pending
    this.#pending = undefined
    if (tag === ASKED_REGISTRY && message?.type === 'register') {
      const decision = readRegistration(answer)
      if (decision === undefined) this.#link.count('registration-undecided')
      this.#registered(message, decision?.result ?? UNDECIDED, decision?.code ?? '')
    } else if (message?.type === 'authenticate') {
      this.#decide(message, answer.ok && answer.status === 200)
    }
  }

  /** The terminal is in: what it tries from now on is counted anew. */
  admitted(): void {
    this.#attempts = 0
  }

  /** The broker, or a rule above, said no. */
  refuse(message: Of<'authenticate'>): void {
    this.#speaker.respond(message.header, Result.failed)
    this.#spend()
  }

  #registered(message: Of<'register'>, result: number, code: string): void {
    const { header } = message
    this.#speaker.send(header, { type: 'register-response', body: { seq: header.sn, result, auth_code: code } })
    if (result !== Result.ok) {
      this.#link.count('registration-refused')
      return
    }
    this.#given = { phone: header.phone, code }
    this.#decisions.registered(message)
  }

  #decide(message: Of<'authenticate'>, accepted: boolean): void {
    if (accepted) {
      this.#decisions.authenticated(message)
      return
    }
    this.#link.count('auth-refused')
    this.refuse(message)
  }

  /** False when that was one attempt too many. */
  #spend(): boolean {
    this.#attempts += 1
    if (this.#attempts <= this.#shared.config.auth.maxAttempts) return true
    this.#link.count('too-many-attempts')
    this.#link.close('not-authorized')
    return false
  }
}
