/**
 * MQTT-SN clients that sleep, with one subscription and one registered topic each, on the real gateway, hosts and broker,
 * without sockets. Prints one line of JSON: with `memory` `{clients, baseKb, rssKb}`, with `wake` a load whose deliveries
 * are clients that were woken: a message published, PINGREQ, PUBLISH, PUBACK, PINGRESP.
 * Usage: node --expose-gc sleeping-clients.js COUNT memory|wake SECONDS
 */

import { type TestGateway, World } from '../../../src/testing.ts'
import { PeerTable } from '../../../src/transport/peer-table.ts'
import { type DatagramPort, UdpWire } from '../../../src/transport/udp-wire.ts'
import { findInstalled } from '../../conformance/installed.ts'
import type { LoadResult, MemoryResult } from '../load/job.ts'
import { rssKb } from '../proc.ts'

const PORT = 1884
const [CONNECT, REGISTER, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, PINGRESP, DISCONNECT] = [
  0x04, 0x0a, 0x0c, 0x0d, 0x12, 0x16, 0x17, 0x18,
] as const // MQTT-SN 1.2 5.2.2
const CLEAN_SESSION = 0x04
const QOS_1 = 0x20
/** An hour: nobody is lost while we measure. */
const SLEEP = [0x0e, 0x10] as const

/** The last datagram that was sent to anybody. */
class Ear implements DatagramPort {
  last: Uint8Array = new Uint8Array(0)
  transmit(bytes: Uint8Array, start: number, end: number): void {
    this.last = bytes.subarray(start, end)
  }
  forget(): void {
    throw new Error('no client should lose its place')
  }
}

function message(type: number, ...body: readonly (number | string)[]): Uint8Array {
  const octets = body.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]))
  return Uint8Array.of(octets.length + 2, type, ...octets)
}

const clientId = (index: number): string => `d${String(index).padStart(9, '0')}`
const commandTopic = (index: number): string => `dev/${clientId(index)}/cmd`

class Sleepers {
  readonly #ear = new Ear()
  readonly #peers = new PeerTable<UdpWire>()
  readonly #gateway: TestGateway

  constructor(gateway: TestGateway) {
    this.#gateway = gateway
  }

  /** Client by client: connect, subscribe, register, sleep. */
  populate(count: number): void {
    for (let i = 0; i < count; i++) {
      const wire = new UdpWire(address(i), PORT, this.#ear)
      this.#peers.add(wire)
      const host = this.#gateway.runtime.accept(wire)
      if (host === undefined) throw new Error(`client ${i} was refused`)
      wire.handler = host
      this.#say(wire, message(CONNECT, CLEAN_SESSION, 1, 0, 60, clientId(i)))
      this.#say(wire, message(SUBSCRIBE, QOS_1, 0, 1, commandTopic(i)))
      this.#say(wire, message(REGISTER, 0, 0, 0, 2, `dev/${clientId(i)}/up`))
      this.#say(wire, message(DISCONNECT, ...SLEEP))
      if (this.#ear.last[1] !== DISCONNECT) throw new Error(`client ${i} does not sleep`)
    }
  }

  /** True when the client got what waited for it. */
  wake(index: number): boolean {
    const wire = this.#peers.get(address(index), PORT)
    if (wire === undefined) return false
    const publish = this.#say(wire, message(PINGREQ, clientId(index)))
    if (publish[1] !== PUBLISH) return false
    return this.#say(wire, message(PUBACK, ...publish.subarray(3, 7), 0))[1] === PINGRESP
  }

  #say(wire: UdpWire, bytes: Uint8Array): Uint8Array {
    wire.handler.onBytes(bytes)
    return this.#ear.last
  }
}

function address(index: number): string {
  return `10.${(index >> 16) & 0xff}.${(index >> 8) & 0xff}.${index & 0xff}`
}

function settledRssKb(): number {
  if (globalThis.gc === undefined) throw new Error('needs node --expose-gc')
  for (let i = 0; i < 3; i++) globalThis.gc()
  return rssKb(process.pid)
}

async function measure(count: number, what: string, seconds: number): Promise<MemoryResult | LoadResult> {
  const found = await findInstalled('mqtt-sn')
  if (found === undefined) throw new Error('no gateway mqtt-sn on disk')
  const world = new World({ limits: { maxClients: count + 1 } })
  const sleepers = new Sleepers(await world.gateway(found.module))
  const app = world.app('app')
  const baseKb = settledRssKb()
  sleepers.populate(count)
  const memory = { clients: world.core.size - 1, baseKb, rssKb: settledRssKb() }
  if (memory.clients !== count) throw new Error(`${memory.clients} of ${count} clients`)
  if (what === 'memory') return memory

  const latencies: number[] = []
  const before = process.cpuUsage()
  const start = performance.now()
  let index = 0
  while (performance.now() - start < seconds * 1000) {
    // A prime step: neighbours in memory are not woken one after the other.
    index = (index + 7919) % count
    const began = performance.now()
    app.publish(commandTopic(index), 'wake up and read your meter', { qos: 1 })
    if (!sleepers.wake(index)) throw new Error(`client ${index} did not get its message`)
    latencies.push(performance.now() - began)
  }
  const elapsed = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  latencies.sort((a, b) => a - b)
  const at = (part: number): number => latencies[Math.floor(latencies.length * part)] ?? 0
  return {
    delivered: latencies.length,
    seconds: elapsed,
    serverCpuSeconds: (user + system) / 1e6,
    generatorCpuSeconds: 0,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: latencies.at(-1) ?? 0,
    rssKb: memory.rssKb,
  }
}

console.log(JSON.stringify(await measure(Number(process.argv[2]), process.argv[3] ?? 'memory', Number(process.argv[4] ?? 3))))
