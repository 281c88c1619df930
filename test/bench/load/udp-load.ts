/**
 * Datagrams from many sockets, one device each, in turn while fewer than `window` are on their way. With a gateway, a
 * message has arrived when the MQTT subscriber has it; a server that answers is also waited for, so that its answers
 * are counted as well. With an echo server a message has arrived when it is back.
 */

import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Workload } from './closed-loop.ts'
import { ClosedLoop } from './closed-loop.ts'
import { PublishDatagram } from './coap-datagram.ts'
import { openConnections } from './connection.ts'
import type { Ask, DatagramSource } from './datagram.ts'
import { FrameReader } from './frame-reader.ts'
import type { LoadResult, UdpJob } from './job.ts'
import { Latency } from './latency.ts'
import { RegisteredPublish } from './mqtt-sn-datagram.ts'
import { StampReader } from './stamp.ts'

const SETTLE_MS = 200

/** Three digits, so that all topics and client ids have one length. */
const FIRST_DEVICE = 100
const MAX_SOCKETS = 900

/** Room for a whole window of answers in each socket. */
const RECEIVE_BUFFER_BYTES = 1 << 20

interface Device {
  readonly socket: Socket
  readonly datagram: DatagramSource
}

function deviceTopic(index: number): string {
  return `dev/${FIRST_DEVICE + index}/up`
}

class UdpLoad implements Workload {
  readonly latency = new Latency()
  readonly stamps: StampReader
  readonly #devices: readonly Device[]
  readonly #window: number
  readonly #echo: boolean
  #turn = 0
  #sent = 0
  #delivered = 0
  #answered = 0

  constructor(devices: readonly Device[], window: number, echo: boolean) {
    this.#devices = devices
    this.#window = window
    this.#echo = echo
    this.stamps = new StampReader(devices.length, (sentAtMs) => this.latency.add(performance.now() - sentAtMs))
  }

  onDelivered(messages: number): void {
    this.#delivered += messages
  }

  onAnswer(device: Device, answer: Buffer): void {
    if (this.#echo) {
      this.stamps.read(answer, device.datagram.payloadAt)
      this.#delivered++
    } else if (!device.datagram.isSuccess(answer)) {
      throw new Error(`the gateway answered ${answer.subarray(0, 16).toString('hex')}`)
    }
    this.#answered++
  }

  delivered(): number {
    return this.#delivered
  }

  due(): number {
    return this.#sent
  }

  complete(): boolean {
    return this.#delivered === this.#sent && this.#outstanding() === 0
  }

  /** A server that has answered once answers everything (a NON request may also stay without answer, RFC 7252 5.2.3). */
  #outstanding(): number {
    return this.#sent - (this.#answered === 0 ? this.#delivered : Math.min(this.#delivered, this.#answered))
  }

  fill(nowMs: number): boolean {
    while (this.#outstanding() < this.#window) {
      const device = this.#devices[this.#turn]
      if (device === undefined || device.datagram.exhausted) return false
      // libuv sends at once or, when the socket is full, copies nothing: the window is far too small for that.
      device.socket.send(device.datagram.next(nowMs))
      this.#sent++
      this.#turn = (this.#turn + 1) % this.#devices.length
    }
    return true
  }
}

async function openDevice({ udpPort, protocol, mqttPort, confirmable }: UdpJob, index: number): Promise<Device> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
  socket.connect(udpPort, '127.0.0.1')
  await once(socket, 'connect')
  const clientId = String(FIRST_DEVICE + index)
  if (protocol === 'coap') return { socket, datagram: new PublishDatagram(index, deviceTopic(index), clientId, confirmable) }
  const ask: Ask = async (datagram) => {
    const answer = once(socket, 'message')
    socket.send(datagram)
    return (await answer)[0] as Buffer
  }
  const echo = mqttPort === undefined
  return { socket, datagram: await RegisteredPublish.open(index, deviceTopic(index), clientId, echo ? undefined : ask) }
}

export async function runUdpLoad(job: UdpJob): Promise<LoadResult> {
  if (job.sockets > MAX_SOCKETS) throw new Error(`at most ${MAX_SOCKETS} sockets`)
  const devices = await Promise.all(Array.from({ length: job.sockets }, (_, index) => openDevice(job, index)))
  const load = new UdpLoad(devices, job.window, job.mqttPort === undefined)
  const loop = new ClosedLoop(load)
  for (const device of devices) {
    device.socket.on('message', (answer) => {
      load.onAnswer(device, answer)
      loop.wake()
    })
  }
  if (job.mqttPort !== undefined) {
    const [subscriber] = await openConnections(job.mqttPort, 'bench-sub', 1, { filter: () => 'dev/+/up', qos: 0 })
    const reader = new FrameReader(deviceTopic(0), 0, load.stamps)
    if (subscriber === undefined) throw new Error('no subscriber')
    subscriber.onChunk = (chunk, length) => {
      const before = reader.frames
      reader.read(chunk, length)
      load.onDelivered(reader.frames - before)
      loop.wake()
    }
  }
  await delay(SETTLE_MS)
  await loop.measure(job.serverPid, job.warmSeconds)
  return loop.measure(job.serverPid, job.seconds)
}
