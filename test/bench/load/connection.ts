/** One MQTT connection of the generator on a bare socket: handshake by exact bytes, then raw chunks to whoever listens. */

import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { LoadQos } from './job.ts'
import { CONNACK_ACCEPTED, connectPacket, subackPacket, subscribePacket } from './packets.ts'

/** All sockets read into this one buffer: a chunk is used up before the next read. */
const CHUNK = Buffer.allocUnsafeSlow(256 * 1024)

/** Connections in the handshake at once, far below any listen backlog. */
const HANDSHAKES = 128

export type ChunkListener = (chunk: Buffer, length: number) => void

export class Connection {
  /** What the chunks go to; valid only during the call. */
  onChunk: ChunkListener = (_chunk, length) => {
    throw new Error(`the server sent ${length} bytes that nobody asked for`)
  }
  readonly #socket: Socket
  #failed: Error | undefined
  #onFailure: (error: Error) => void = (error) => {
    throw error
  }

  private constructor(port: number) {
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: CHUNK,
        callback: (length) => {
          this.onChunk(CHUNK, length)
          return true
        },
      },
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed a connection')))
  }

  static async open(port: number, clientId: string, persistent = false): Promise<Connection> {
    const connection = new Connection(port)
    await connection.#exchange(connectPacket(clientId, persistent), CONNACK_ACCEPTED)
    return connection
  }

  async subscribe(filter: string, qos: LoadQos): Promise<void> {
    await this.#exchange(subscribePacket(filter, qos), subackPacket(qos))
  }

  /** True while the kernel has not taken everything that was written. */
  get blocked(): boolean {
    return this.#socket.writableLength > 0
  }

  /** Sends without copying: `bytes` must not change while `blocked`. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Ends it from our side. */
  close(): void {
    this.#onFailure = () => {}
    this.#socket.destroy()
  }

  /** Sends `request` and waits for exactly the bytes of `answer`. */
  #exchange(request: Uint8Array, answer: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const idle = this.onChunk
      const settle = (error?: Error) => {
        this.onChunk = idle
        this.#onFailure = (failure) => {
          throw failure
        }
        if (error === undefined) resolve()
        else reject(error)
      }
      let received = Buffer.alloc(0)
      this.#onFailure = settle
      this.onChunk = (chunk, length) => {
        received = Buffer.concat([received, chunk.subarray(0, length)])
        if (received.length < answer.length) return
        if (received.equals(answer)) settle()
        else settle(new Error(`the server answered ${received.toString('hex')}, not ${answer.toString('hex')}`))
      }
      if (this.#failed !== undefined) settle(this.#failed)
      else this.write(request)
    })
  }

  #fail(error: Error): void {
    if (this.#failed !== undefined) return
    this.#failed = error
    this.#onFailure(error)
  }
}

/** Opens `count` connections named `prefix-0`, `prefix-1`, ..., each with its subscription where there is one. */
export async function openConnections(
  port: number,
  prefix: string,
  count: number,
  subscription?: { readonly filter: (index: number) => string; readonly qos: LoadQos },
  persistent = false,
): Promise<Connection[]> {
  const connections: Connection[] = new Array(count)
  let next = 0
  const opener = async () => {
    while (next < count) {
      const index = next++
      const connection = await Connection.open(port, `${prefix}-${index}`, persistent)
      if (subscription !== undefined) await connection.subscribe(subscription.filter(index), subscription.qos)
      connections[index] = connection
    }
  }
  await Promise.all(Array.from({ length: Math.min(HANDSHAKES, count) }, opener))
  return connections
}
