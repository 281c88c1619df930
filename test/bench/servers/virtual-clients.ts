/**
 * Memory of virtual clients with one subscription each, on the broker core alone: no gateway, no socket. Prints one line of
 * JSON: `{clients, baseKb, rssKb}`. Usage: node --expose-gc virtual-clients.js COUNT
 */
import { BrokerCore } from '../../../src/broker/core.ts'
import type { Port } from '../../../src/broker/port.ts'
import { Message } from '../../../src/sdk.ts'
import { TEST_CORE_LIMITS, TEST_LIMITS } from '../../../src/testing/limits.ts'
import type { MemoryResult } from '../load/job.ts'
import { settledRssKb } from './settled-rss.ts'

/** How many of the clients get a message in the end, to prove that what was measured is alive. */
const PROBES = 1000

const START_MS = Date.UTC(2026, 0, 1)

/** As decoded from a device's packet: a flat string, not a concatenation. */
function decoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function clientId(index: number): string {
  return decoded(`d${String(index).padStart(9, '0')}`)
}

function commandTopic(index: number): string {
  return decoded(`dev/d${String(index).padStart(9, '0')}/cmd`)
}

class Probe implements Port {
  readonly gateway = 'bench'
  readonly limits = {
    ...TEST_LIMITS,
    maxInflight: 32,
    maxQueued: 1000,
    maxQueuedBytes: 1 << 20,
    dropPolicy: 'drop-oldest',
    queueQos0Offline: false,
    maxSubscriptions: 16,
  } as const
  delivered = 0

  deliver(): boolean {
    this.delivered++
    return true
  }

  evict(): void {
    throw new Error('no client should lose its place')
  }

  peer(): string {
    return '127.0.0.1:5683'
  }
}

function populate(core: BrokerCore, port: Port, count: number): void {
  const ref = {}
  const request = { protocol: 'bench', cleanStart: true, expiryMs: 0, keepAliveMs: 0 }
  for (let i = 0; i < count; i++) {
    const { client } = core.attach(port, ref, { ...request, clientId: clientId(i) })
    if (client === undefined) throw new Error(`client ${i} was refused`)
    core.resume(client)
    if (core.subscribe(client, commandTopic(i), { qos: 0 }) !== 0) throw new Error(`subscription ${i} was refused`)
  }
}

function measure(count: number): MemoryResult {
  const core = new BrokerCore(
    { now: () => START_MS, random: (bytes) => new Uint8Array(bytes), wake: () => undefined, more: () => undefined },
    { ...TEST_CORE_LIMITS, maxClients: count },
  )
  const port = new Probe()
  const baseKb = settledRssKb()
  populate(core, port, count)
  const result = { clients: core.size, baseKb, rssKb: settledRssKb() }
  const probes = Math.min(PROBES, count)
  for (let i = 0; i < probes; i++) core.publish(new Message(commandTopic(Math.floor((i * count) / probes)), new Uint8Array(64)))
  if (result.clients !== count || port.delivered !== probes) {
    throw new Error(`${result.clients} of ${count} clients, ${port.delivered} of ${probes} messages`)
  }
  return result
}

console.log(JSON.stringify(measure(Number(process.argv[2]))))
