/**
 * Performs scripts (specs/scripts.md) in virtual time: each line is a step, and what a gateway sends is looked at in
 * the order in which it was sent. What a script does not expect is an error, also at its end.
 */
import type { Access } from '../auth/access.ts'
import type { ConnectRefusal, GatewayModule, SessionLimits, WireFormat } from '../sdk.ts'
import { topicMatches } from '../sdk.ts'
import type { Tap } from './fake-wire.ts'
import { printReceived, ScriptApp } from './lockstep-app.ts'
import type { Captures } from './lockstep-pattern.ts'
import type { Notation } from './lockstep-peer.ts'
import { ScriptPeer } from './lockstep-peer.ts'
import type { Action, Expectation, Place, Scenario, Step } from './lockstep-script.ts'
import { parseScript, ScriptError } from './lockstep-script.ts'
import type { TestGateway } from './world.ts'
import { World } from './world.ts'

/** A gateway as a script needs it. */
export interface ScriptGateway {
  readonly module: GatewayModule
  /** `codec/index.ts`: its framer cuts what is sent on a stream; without it each send is a frame. */
  readonly wire?: WireFormat<unknown> | undefined
  /** `codec/notation.ts`: called for each connection; without it frames are written as `hex`. */
  readonly notation?: (() => Notation) | undefined
}

/** Finds the gateway of a protocol; undefined when there is none. */
export type FindGateway = (protocol: string) => Promise<ScriptGateway | undefined>

/** Performs every scenario of `text`. Throws a `ScriptError` at the first line that does not hold. */
export async function runScript(text: string, file: string, find: FindGateway): Promise<void> {
  for (const scenario of parseScript(text, file)) await runScenario(scenario, find)
}

/** `tap` sees what goes over every wire. */
export async function runScenario(scenario: Scenario, find: FindGateway, tap?: Tap): Promise<void> {
  const stage = new Stage(find, tap)
  for (const step of scenario.steps) await stage.perform(step)
  const last = scenario.steps.at(-1)
  if (last !== undefined) stage.end(last.at)
}

interface Placed {
  readonly gateway: TestGateway
  readonly parts: ScriptGateway
}

class Stage {
  readonly #find: FindGateway
  readonly #world: World
  readonly #captures: Captures = new Map()
  readonly #gateways = new Map<string, Placed>()
  readonly #peers = new Map<string, ScriptPeer>()
  readonly #apps = new Map<string, ScriptApp>()
  readonly #denied: { readonly what: 'publish' | 'subscribe'; readonly filter: string }[] = []
  readonly #refused = new Map<string, ConnectRefusal>()

  constructor(find: FindGateway, tap: Tap | undefined) {
    this.#find = find
    const access: Access = {
      authenticate: ({ request }) => {
        const reason = this.#refused.get(request.clientId)
        return reason === undefined ? { ok: true } : { ok: false, reason }
      },
      authorize: (subject, action, topic) =>
        subject.protocol === 'app' || !this.#denied.some(({ what, filter }) => what === action && topicMatches(filter, topic)),
    }
    this.#world = new World({ access, ...(tap !== undefined && { tap }) })
  }

  async perform(step: Step): Promise<void> {
    try {
      if (step.kind === 'gateway') await this.#openGateway(step)
      else this.#do(step, step.at)
    } catch (error) {
      if (error instanceof ScriptError) throw error
      throw new ScriptError(step.at, (error as Error).message)
    }
  }

  /** What is left over when the script is over. */
  end(at: Place): void {
    this.#quiet(at, 'the script ends, but')
    if (this.#world.faults() === 0 && this.#world.errors.length === 0) return
    throw new ScriptError(at, `a session failed: ${JSON.stringify(this.#world.errors)}`)
  }

  async #openGateway({ name, protocol, config }: Extract<Action, { kind: 'gateway' }>): Promise<void> {
    const parts = await this.#find(protocol)
    if (parts === undefined) throw new Error(`there is no gateway ${protocol}`)
    const { session, mountpoint, ...own } = config
    const gateway = await this.#world.gateway(parts.module, own, {
      name,
      ...(session !== undefined && { session: session as Partial<SessionLimits> }),
      ...(typeof mountpoint === 'string' && { mountpoint }),
    })
    this.#gateways.set(name, { gateway, parts })
  }

  #do(step: Exclude<Action, { kind: 'gateway' }>, at: Place): void {
    switch (step.kind) {
      case 'deny':
        this.#denied.push(step)
        return
      case 'refuse':
        this.#refused.set(step.clientId, step.reason as ConnectRefusal)
        return
      case 'peer':
        this.#openPeer(step)
        return
      case 'sends':
        if (isApp(step.who)) this.#app(step.who).publish(step.text, this.#captures)
        else this.#peer(step.who).say(step.text, this.#captures)
        return
      case 'receives':
      case 'closed':
        this.#expect(step, at)
        return
      case 'open': {
        const reason = this.#peer(step.who).closed
        if (reason !== undefined) throw new ScriptError(at, `${step.who} was closed: ${reason}`)
        return
      }
      case 'hang-up':
        this.#peer(step.who).hangUp()
        return
      case 'stop-reading':
        this.#peer(step.who).stopReading()
        return
      case 'read-again':
        this.#peer(step.who).readAgain()
        return
      case 'subscribe':
        this.#app(step.who).subscribe(step.filter, step.options)
        return
      case 'unsubscribe':
        this.#app(step.who).unsubscribe(step.filter)
        return
      case 'leave':
        this.#app(step.who).leave()
        return
      case 'kick':
        if (!this.#world.core.kick(step.clientId)) throw new Error(`there is no client ${step.clientId}`)
        return
      case 'wait':
        this.#wait(step, at)
        return
      case 'quiet':
        this.#quiet(at, 'not quiet:')
        if (step.timers !== undefined) compare(at, 'timers', step.timers, this.#world.wheel.size)
        return
      case 'count':
        compare(at, step.name, step.value, this.#count(step.of, step.name))
    }
  }

  #openPeer({ who, datagram, address, port, secure, group, identity, gateway }: Extract<Action, { kind: 'peer' }>): void {
    const placed = gateway === undefined ? [...this.#gateways.values()].at(-1) : this.#gateways.get(gateway)
    if (placed === undefined) throw new Error(`no gateway ${gateway ?? ''} stands above this line`)
    if (isApp(who)) throw new Error('names that begin with `app` are for applications')
    const peer = {
      datagram,
      secure,
      ...(group && { group }),
      ...(address !== undefined && { address }),
      ...(port !== undefined && { port }),
      ...(identity !== undefined && { identity }),
    }
    this.#peers.set(who, new ScriptPeer(placed.gateway, peer, placed.parts.wire, placed.parts.notation?.()))
  }

  #peer(name: string): ScriptPeer {
    const peer = this.#peers.get(name)
    if (peer === undefined)
      throw new Error(`nobody is called ${name}: write \`${name} = tcp\` or \`${name} = udp 10.0.0.1:5000\` first`)
    return peer
  }

  #app(name: string): ScriptApp {
    if (!isApp(name)) throw new Error(`${name} is a device; names of applications begin with \`app\``)
    let app = this.#apps.get(name)
    if (app === undefined) {
      app = new ScriptApp(this.#world.app(name), () => this.#world.now())
      this.#apps.set(name, app)
    }
    return app
  }

  #ear(name: string): ScriptPeer | ScriptApp {
    return isApp(name) ? this.#app(name) : this.#peer(name)
  }

  #expect(step: Expectation, at: Place): void {
    if (step.kind === 'closed') {
      const { closed } = this.#peer(step.who)
      if (closed === undefined) throw new ScriptError(at, mismatch(`${step.who} closed`, `${step.who} is open`))
      if (step.reason !== undefined && step.reason !== closed) throw new ScriptError(at, mismatch(step.reason, closed))
      return
    }
    const ear = this.#ear(step.who)
    if (step.text === 'nothing') {
      if (ear.unread.length > 0) throw new ScriptError(at, mismatch('nothing', this.#unreadOf(step.who).join('\n              ')))
      return
    }
    const actual = ear.hear(step.text, this.#captures)
    if (actual !== undefined) throw new ScriptError(at, mismatch(step.text, actual))
  }

  #happened(step: Expectation): boolean {
    return step.kind === 'closed' ? this.#peer(step.who).closed !== undefined : this.#ear(step.who).unread.length > 0
  }

  #wait({ fromMs, toMs, until }: Extract<Action, { kind: 'wait' }>, at: Place): void {
    if (until === undefined) {
      this.#world.advance(fromMs)
      return
    }
    if (until.kind === 'receives' && until.text === 'nothing') {
      this.#world.advance(toMs)
      this.#expect(until, at)
      return
    }
    this.#world.advance(Math.max(0, fromMs - 1))
    if (this.#happened(until)) {
      const what =
        until.kind === 'closed' ? `closed: ${this.#peer(until.who).closed}` : `sent: ${this.#unreadOf(until.who).join(', ')}`
      throw new ScriptError(at, `before its time ${until.who} was ${what}`)
    }
    for (let passed = Math.max(0, fromMs - 1); passed < toMs && !this.#happened(until); passed++) this.#world.advance(1)
    this.#expect(until, at)
  }

  #unreadOf(name: string): string[] {
    const app = this.#apps.get(name)
    if (app !== undefined) return app.unread.map(printReceived)
    const peer = this.#peer(name)
    return peer.unread.map((frame) => peer.print(frame))
  }

  #quiet(at: Place, complaint: string): void {
    for (const name of [...this.#peers.keys(), ...this.#apps.keys()]) {
      const unread = this.#unreadOf(name)
      if (unread.length > 0) throw new ScriptError(at, `${complaint} ${name} was sent: ${unread.join('; ')}`)
    }
  }

  #count(of: 'malformed' | 'counter' | 'clients', name: string): number {
    if (of === 'clients') return [...this.#world.core.clients()].filter(({ protocol }) => protocol !== 'app').length
    return (of === 'malformed' ? this.#world.malformed() : this.#world.counters()).get(name) ?? 0
  }
}

function isApp(name: string): boolean {
  return name.startsWith('app')
}

function compare(at: Place, what: string, expected: number, actual: number): void {
  if (expected !== actual) throw new ScriptError(at, `${what}${mismatch(String(expected), String(actual))}`)
}

function mismatch(expected: string, actual: string): string {
  return `\n  expected:   ${expected}\n  actual:     ${actual}`
}
