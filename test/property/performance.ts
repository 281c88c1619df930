/** One performance: a device sends octets to a gateway in a world of its own, an application listens and gives commands. */
import type { TestGateway, TestPeer } from '../../src/testing.ts'
import { hex, World } from '../../src/testing.ts'
import type { Subject } from './subject.ts'

/** All that can be seen from outside. Two performances are equal when their transcripts are. */
export interface Transcript {
  /** One entry per datagram; a stream is one entry. */
  readonly sent: readonly string[]
  readonly published: readonly string[]
  readonly malformed: Readonly<Record<string, number>>
  readonly counters: Readonly<Record<string, number>>
  readonly closed: string | undefined
}

export interface Stage {
  readonly world: World
  readonly gateway: TestGateway
  readonly peer: TestPeer
  readonly sent: string[]
  readonly published: string[]
}

/** Long enough for every retransmission and every answer to a command. */
const AFTERMATH_MS = 300_000

const COMMANDS = ['read', 'message', 'locate', 'reboot', 'no-such-command'] as const

export async function openStage(subject: Subject, seed = 1): Promise<Stage> {
  const world = new World({ seed })
  const gateway = await world.gateway(subject.module)
  return { world, gateway, peer: openPeer(subject, gateway, 5000), sent: [], published: [] }
}

export function openPeer(subject: Subject, gateway: TestGateway, port: number): TestPeer {
  return gateway.connect({ datagram: subject.datagram, address: '10.0.0.1', port })
}

/** A device sends `inputs`; then every client that is online is given commands, and time passes. */
export async function perform(subject: Subject, inputs: readonly Uint8Array[], seed = 1): Promise<Transcript> {
  const stage = await openStage(subject, seed)
  const { world, gateway, peer } = stage
  const app = world.app('application')
  app.subscribe('#', { qos: 1 })
  const { turn } = gateway.runtime
  // One event, however many chunks: what the broker does at the end of an event must not depend on them.
  turn.enter()
  for (const input of inputs) peer.wire.receive(input)
  turn.leave()
  note(subject, stage)
  command(stage, (topic, payload) => void app.publish(topic, payload, { qos: 1 }))
  world.advance(AFTERMATH_MS)
  note(subject, stage)
  const { closed } = peer
  peer.hangUp()
  stage.published.push(...app.take().map(({ topic, payload, qos, retain }) => `${topic} ${hex(payload)} ${qos} ${retain}`))
  if (world.faults() > 0) throw new Error(`a session failed: ${JSON.stringify(world.errors)}`)
  return {
    sent: stage.sent,
    published: stage.published,
    malformed: sorted(world.malformed()),
    counters: sorted(world.counters()),
    closed,
  }
}

/** Gives each client that is online one command of each name. */
export function command({ world }: Stage, publish: (topic: string, payload: string) => void): void {
  const online = [...world.core.clients()].filter(({ connected, protocol }) => connected && protocol !== 'app')
  for (const { id } of online) {
    for (const [index, name] of COMMANDS.entries()) {
      const payload = { id: String(index), name, args: { path: '/3/0', text: 'x' }, timeout_s: 60 }
      publish(`devices/${encodeURIComponent(id)}/down/command`, JSON.stringify(payload))
    }
  }
}

function note({ datagram }: Subject, { peer, sent }: Stage): void {
  const taken = peer.take().map(hex)
  if (datagram) sent.push(...taken)
  else sent.push(taken.join(''))
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
