/**
 * Memory of CoAP clients that logged in (connection mode), observe one topic each, and say nothing more: an address, a
 * peer, a session and a client of the broker for each; the sockets are left out. Prints one line of JSON:
 * `{clients, baseKb, rssKb}`. Usage: node --expose-gc coap-clients.js COUNT
 */
import { serialize } from '../../../src/stacks/coap/message.ts'
import type { Option } from '../../../src/stacks/coap/options.ts'
import { OBSERVE, textOption, URI_PATH, URI_QUERY, uintOption } from '../../../src/stacks/coap/options.ts'
import type { TestGateway } from '../../../src/testing.ts'
import { World } from '../../../src/testing.ts'
import { PeerTable } from '../../../src/transport/peer-table.ts'
import { type DatagramPort, UdpWire } from '../../../src/transport/udp-wire.ts'
import type { MemoryResult } from '../load/job.ts'
import { gatewayModule } from '../project.ts'
import { settledRssKb } from './settled-rss.ts'

/** How many of the clients get a message in the end, to prove that what was measured is alive. */
const PROBES = 1000

/** Clients that are there before the others are counted: the process has its code and its young generation (32 MiB) then. */
const WARM_UP = 10_000

/** Virtual: a fleet of 200 000 is there in seven minutes. */
const ARRIVALS_PER_SECOND = 500

const CON = 0
const GET = 1
const POST = 2
/** An idle client is not heard of for long: exchanges of its beginning are forgotten by then. RFC 7252 4.8.2 */
const EXCHANGE_LIFETIME_MS = 247_000
const HEADER_BYTES = 4

function options(path: string, ...queries: readonly string[]): Option[] {
  const segments = path.split('/').map((segment) => textOption(URI_PATH, segment))
  return [...segments, ...queries.map((query) => textOption(URI_QUERY, query))]
}

class Devices implements DatagramPort {
  readonly peers = new PeerTable<UdpWire>()
  readonly #gateway: TestGateway
  #answer: Uint8Array = new Uint8Array(0)
  answers = 0

  constructor(gateway: TestGateway) {
    this.#gateway = gateway
  }

  transmit(bytes: Uint8Array, start: number, end: number): void {
    this.#answer = bytes.subarray(start, end)
    this.answers++
  }

  forget(wire: UdpWire): void {
    this.peers.delete(wire)
  }

  /** One device: a login, and an observation with its token. */
  add(index: number): void {
    const id = `d${String(index).padStart(9, '0')}`
    const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
    const wire = new UdpWire(address, 5683, this)
    const host = this.#gateway.runtime.accept(wire)
    if (host === undefined) throw new Error(`device ${index} was refused`)
    wire.handler = host
    this.peers.add(wire)
    const ask = (code: number, messageId: number, list: readonly Option[]): Uint8Array => {
      const received = Buffer.allocUnsafeSlow(512)
      const datagram = serialize(CON, code, messageId, '\x01\x02\x03\x04', list)
      received.set(datagram)
      host.onBytes(received.subarray(0, datagram.length))
      if ((this.#answer[1] ?? 0) >> 5 !== 2) throw new Error(`device ${index} was answered ${this.#answer[1]}`)
      return this.#answer
    }
    const login = ask(POST, 1, options('mqtt/connection', `clientid=${id}`))
    const token = Buffer.from(login.subarray(login.lastIndexOf(0xff, HEADER_BYTES + 8) + 1)).toString('latin1')
    const observation = options(`ps/dev/${id}/cmd`, `clientid=${id}`, `token=${token.slice(token.search(/\d+$/))}`)
    ask(GET, 2, [uintOption(OBSERVE, 0), ...observation])
  }
}

async function measure(count: number): Promise<MemoryResult> {
  const world = new World()
  const config = { connectionRequired: true, heartbeat: '24h' }
  const gateway = await world.gateway(await gatewayModule('coap'), config)
  const devices = new Devices(gateway)
  const app = world.app('bench')
  const populate = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      devices.add(i)
      if (i % ARRIVALS_PER_SECOND === 0) world.advance(1000)
    }
    world.advance(2 * EXCHANGE_LIFETIME_MS)
  }
  populate(count, count + WARM_UP)
  const before = world.core.size
  const baseKb = settledRssKb()
  populate(0, count)
  const result = { clients: world.core.size - before, baseKb, rssKb: settledRssKb() }
  const probes = Math.min(PROBES, count)
  devices.answers = 0
  for (let i = 0; i < probes; i++) app.publish(`dev/d${String(Math.floor((i * count) / probes)).padStart(9, '0')}/cmd`, 'x')
  if (result.clients !== count || devices.answers !== probes) {
    throw new Error(`${result.clients} of ${count} clients, ${devices.answers} of ${probes} messages`)
  }
  return result
}

console.log(JSON.stringify(await measure(Number(process.argv[2]))))
