/** A device of version 2.0 on a fake wire, in the notation of packets. */
import assert from 'node:assert/strict'
import { type TestGateway, type TestPeer, World } from '#testing'
import { printPacketText, readPacketText } from '../codec/v2/notation.ts'
import module from '../index.ts'

export interface Stage {
  readonly world: World
  readonly gateway: TestGateway
  device(address?: string, port?: number): Device2
}

export async function stage(config: object = {}, world = new World()): Promise<Stage> {
  const gateway = await world.gateway(module, { version: '2.0', ...config })
  return { world, gateway, device: (address = '10.0.0.1', port?: number) => new Device2(gateway, address, port) }
}

export class Device2 {
  readonly peer: TestPeer

  constructor(gateway: TestGateway, address: string, port: number | undefined) {
    this.peer = gateway.connect({ datagram: true, address, ...(port !== undefined && { port }) })
  }

  send(text: string): this {
    this.peer.send(readPacketText(text))
    return this
  }

  take(): string[] {
    return this.peer.take().map(printPacketText)
  }

  /** Sends octets; what comes back, as octets. */
  exchange(datagram: Uint8Array): Uint8Array[] {
    this.peer.send(datagram)
    return this.peer.take()
  }

  ask(text: string, answer: string): this {
    this.send(text)
    assert.deepEqual(this.take(), [answer])
    return this
  }

  join(clientId: string, more = ''): this {
    return this.ask(`CONNECT protocol=2 clientId=${clientId} packetId=1 keepAlive=60 ${more}`, 'CONNACK packetId=1 reason=0')
  }
}
