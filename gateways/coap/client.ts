/** One client: a virtual client of the broker that is known by its client id, and speaks from one address at a time. */
import type { CloseReason, ConnectOutcome, Delivery, Link, Message, PublishOutcome, Session, SubscribeOutcome } from '#sdk'
import { FORBIDDEN, SERVICE_UNAVAILABLE, UNAUTHORIZED } from '#stacks/coap/codes'
import type { Response } from '#stacks/coap/exchange'
import { encodeText } from '#stacks/coap/text'
import type { Call } from './call.ts'
import { Commands } from './commands.ts'
import type { CoapGateway } from './gateway.ts'
import { Observations } from './observations.ts'
import type { Account } from './oscore/accounts.ts'
import type { Query } from './query.ts'
import { loginRefusal, publishResponse, refusal, retryLater } from './responses.ts'
import type { ClientHandler } from './routes/resource.ts'
import type { AddressSession, Memory } from './session.ts'
import { Undecided } from './undecided.ts'

export interface Identity {
  /** Empty: the broker chooses one. */
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** What the client must show in every request; undefined without a login of its own. */
  readonly token: string | undefined
  /** The client protects its requests. */
  readonly account: Account | undefined
}

const SILENCE_TIMER = 1
const COMMAND_TIMER = 2

/** A client that logged in may miss half a heartbeat, as in MQTT 5.0 3.1.2.10. */
const HEARTBEAT_TOLERANCE = 1.5

interface WaitingRequest {
  readonly call: Call
  readonly handler: ClientHandler
}

/** There until it is decided. */
interface Login {
  readonly decided: () => void
  readonly waiting: WaitingRequest[]
}

/** Its methods are `private` and not `#`, which would cost each of a million objects a word. */
export class CoapClient implements Session {
  readonly link: Link
  readonly gateway: CoapGateway
  readonly token: string | undefined

  /** Where it speaks from, and where its notifications go; undefined while that rests. */
  #session: AddressSession | undefined
  /** Of the address that rests. */
  #memory: Memory | undefined = undefined
  /** Forgotten where the token says it all. */
  #identity: Identity | undefined
  #state: 'new' | 'connecting' | 'online' | 'over' = 'new'
  /** Whole seconds: a small number, where milliseconds would be an object. */
  #seenAtSeconds: number
  #login: Login | undefined
  #undecided: Undecided | undefined = undefined
  #observations: Observations | undefined = undefined
  #commands: Commands | undefined = undefined

  /** `decided` is called once, when the login has succeeded or failed. */
  constructor(session: AddressSession, link: Link, identity: Identity, decided: () => void) {
    this.gateway = session.gateway
    this.#session = session
    this.link = link
    this.token = identity.token
    this.#identity = identity
    this.#login = { decided, waiting: [] }
    this.#seenAtSeconds = secondsOf(link.now())
  }

  /** As the broker knows it; empty before that. */
  get id(): string {
    return this.link.clientId ?? ''
  }

  get online(): boolean {
    return this.#state === 'online'
  }

  /** The address, which rests no more. */
  get session(): AddressSession {
    if (this.#session === undefined) this.link.wake()
    return this.#session as AddressSession
  }

  speaksFrom(session: AddressSession): boolean {
    return this.#session === session
  }

  get observations(): Observations {
    this.#observations ??= new Observations(this)
    return this.#observations
  }

  get commands(): Commands {
    this.#commands ??= new Commands(this.link, COMMAND_TIMER)
    return this.#commands
  }

  get account(): Account | undefined {
    return this.#identity?.account
  }

  hasCredentials({ username, password }: Query): boolean {
    const identity = this.#identity
    return identity !== undefined && identity.username === username && sameSecret(identity.password, password)
  }

  hasToken(token: string): boolean {
    return this.token !== undefined && sameSecret(this.token, token)
  }

  /** Serves the request, at once or when the login has succeeded; the first request begins the login. */
  whenOnline(call: Call, handler: ClientHandler): void {
    if (this.#state === 'online') {
      this.#seenAtSeconds = secondsOf(this.link.now())
      call.session.serve(call, this, handler)
      return
    }
    const waiting = this.#login?.waiting
    if (waiting === undefined || waiting.length >= this.gateway.config.limits.maxPendingRequests) {
      this.link.count('login-queue-full')
      call.respond(retryLater(SERVICE_UNAVAILABLE, 'the login is not decided yet'))
      return
    }
    waiting.push({ call, handler })
    if (this.#state === 'new') this.logIn()
  }

  /** Speaks from another address from now on. */
  moveTo(session: AddressSession): void {
    const from = this.session
    from.left(this)
    session.arrived(this)
    this.#session = session
    this.link.moveTo(session.link)
    this.#observations?.moved(from)
  }

  /** Its address rests, and is `session` again later. */
  rested(memory: Memory, aliveAt: number): void {
    this.#seenAtSeconds = Math.max(this.#seenAtSeconds, secondsOf(aliveAt))
    this.#session = undefined
    this.#memory = memory
    this.#undecided = undefined
    this.expectAnew()
  }

  /** Publishes, and answers `call` when the broker has decided. */
  publish(call: Call, message: Message): void {
    this.answerLater(call, (tag) => this.link.publish(message, tag))
  }

  /** Answers `call` when the broker has decided about what `publish` publishes under its tag. */
  answerLater(call: Call, publish: (tag: number) => void): void {
    this.#undecided ??= new Undecided()
    if (this.#undecided.size < this.gateway.config.limits.maxExchanges) this.#undecided.add(call, publish)
    else call.respond(publishResponse('quota', call.accepted))
  }

  /** The client showed that it is there. */
  heard(): void {
    this.#seenAtSeconds = secondsOf(this.link.now())
  }

  /** What counts as silence has changed. */
  expectAnew(): void {
    if (this.#state !== 'online') return
    const silentMs = this.silentAt() - this.link.now()
    this.link.arm(SILENCE_TIMER, Math.max(1, this.#memory === undefined ? silentMs : Math.min(silentMs, this.gateway.lingerMs)))
  }

  // ---- Session ---------------------------------------------------------------------------------------------------

  onBytes(): void {}

  onTimer(timer: number): void {
    if (timer === COMMAND_TIMER) {
      this.#commands?.expire()
      return
    }
    if (this.silentAt() > this.link.now()) {
      this.#memory = undefined
      this.expectAnew()
    } else this.link.close(this.token === undefined ? 'idle' : 'keepalive-timeout')
  }

  onWake(session: AddressSession): void {
    this.#session = session
    session.resumed(this, this.#memory, this.#seenAtSeconds * 1000)
    this.#memory = undefined
    if (this.isAnonymous) session.anonymous = this
    this.#observations?.resumed(session)
  }

  onConnect(outcome: ConnectOutcome): void {
    const waiting = this.loginOver()
    if (!outcome.ok) {
      this.#state = 'over'
      this.session.left(this)
      const refused = loginRefusal(outcome)
      for (const { call } of waiting) {
        if (call.clientId === undefined) call.deny(refused)
        else call.respond(refused)
      }
      this.link.close('not-authorized')
      return
    }
    this.#state = 'online'
    this.gateway.online++
    if (this.isAnonymous) this.session.anonymous = this
    if (this.token !== undefined && this.account === undefined) this.#identity = undefined
    this.expectAnew()
    for (const { call, handler } of waiting) this.whenOnline(call, handler)
  }

  onDeliver(delivery: Delivery): void {
    this.observations.deliver(delivery)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    const call = this.#undecided?.take(tag)
    call?.respond(publishResponse(outcome, call.accepted))
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.observations.subscribed(tag, outcome)
  }

  onClose(reason: CloseReason): void {
    const wasOnline = this.#state === 'online'
    this.#state = 'over'
    const waiting = this.loginOver()
    if (wasOnline) this.gateway.online--
    // What waits in the broker stays there: it must not come while this ends.
    this.link.hold()
    for (const { call } of waiting) call.respond(retryLater(SERVICE_UNAVAILABLE, 'the session has ended'))
    for (const call of this.#undecided?.all() ?? []) call.respond(publishResponse('not-connected', call.accepted))
    this.#undecided = undefined
    this.#commands?.close()
    this.#observations?.close(reason === 'disconnected' ? undefined : farewell(reason))
    // Repetitions of its last requests may still come: where it rested, the address must remember on its own.
    if (this.#memory !== undefined) this.link.wake()
    this.#session?.left(this)
  }

  describe(): Readonly<Record<string, unknown>> {
    return {
      mode: this.token === undefined ? 'connectionless' : 'connection',
      ...(this.account !== undefined && { isProtected: true }),
      observations: this.#observations?.describe() ?? [],
      commands: this.#commands?.size ?? 0,
    }
  }

  private get isAnonymous(): boolean {
    return this.#identity?.clientId === ''
  }

  private logIn(): void {
    const { clientId, username, password, token } = this.#identity as Identity
    const { config } = this.gateway
    this.#state = 'connecting'
    this.session.arrived(this)
    this.link.connect({
      clientId,
      protocol: 'coap',
      version: '1',
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password: encodeText(password) }),
      cleanStart: true,
      expiryMs: 0,
      keepAliveMs: token === undefined ? 0 : config.heartbeat,
      receiveMaximum: config.limits.window,
      // A notification may have to wait for the acknowledgement of the one before it, whatever its QoS.
      trackQos0: true,
    })
  }

  /** The requests that waited for it. */
  private loginOver(): readonly WaitingRequest[] {
    const login = this.#login
    this.#login = undefined
    login?.decided()
    return login?.waiting ?? []
  }

  private silentAt(): number {
    const { heartbeat, maxIdle, idleTimeout } = this.gateway.config
    const seenAt = Math.max(this.#seenAtSeconds * 1000, this.#session?.aliveAt ?? 0)
    if (this.token !== undefined) return seenAt + heartbeat * HEARTBEAT_TOLERANCE
    return seenAt + ((this.#observations?.size ?? 0) > 0 ? maxIdle : idleTimeout)
  }
}

/** The last notification of each observation: why there will be no more. */
function farewell(reason: CloseReason): Response {
  switch (reason) {
    case 'taken-over':
      return refusal(UNAUTHORIZED, 'taken over by another session with this client id')
    case 'not-authorized':
      return refusal(FORBIDDEN, 'not authorized any more')
    case 'kicked':
      return refusal(SERVICE_UNAVAILABLE, 'closed by the operator')
    case 'shutdown':
      return refusal(SERVICE_UNAVAILABLE, 'the gateway is shutting down')
    default:
      return refusal(SERVICE_UNAVAILABLE, `the session has ended: ${reason}`)
  }
}

/** Not before `ms`. */
function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** Takes equally long wherever the difference is. */
function sameSecret(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length))
  return difference === 0
}
