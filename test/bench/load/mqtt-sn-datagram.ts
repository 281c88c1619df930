/** A device's datagrams of MQTT-SN 1.2: CONNECT, REGISTER, and a PUBLISH with QoS 1 and a stamped payload, reused. */
import type { Ask, DatagramSource } from './datagram.ts'
import { blankPayload, stamp } from './stamp.ts'

const CONNECT = 0x04 // MQTT-SN 1.2 5.2.2
const REGISTER = 0x0a
const PUBLISH = 0x0c
const PUBACK = 0x0d
const CLEAN_SESSION = 0x04 // 5.3.4
const QOS_1 = 0x20
const PROTOCOL_ID = 0x01 // 5.3.8
const KEEP_ALIVE_S = 600
const TOPIC_AT = 3
const MESSAGE_ID_AT = 5
const PAYLOAD_AT = 7
const LAST_MESSAGE_ID = 65_535
const REGACK_TOPIC_AT = 2

export class RegisteredPublish implements DatagramSource {
  readonly payloadAt = PAYLOAD_AT
  readonly exhausted = false
  readonly #publisher: number
  readonly #bytes: Buffer
  #sent = 0

  constructor(publisher: number, topicId: number) {
    this.#publisher = publisher
    const payload = blankPayload()
    this.#bytes = Buffer.concat([Buffer.from([PAYLOAD_AT + payload.length, PUBLISH, QOS_1, 0, 0, 0, 0]), payload])
    this.#bytes.writeUInt16BE(topicId, TOPIC_AT)
  }

  /** Connects and registers first; an echo server is told nothing. */
  static async open(publisher: number, topic: string, clientId: string, ask: Ask | undefined): Promise<RegisteredPublish> {
    if (ask === undefined) return new RegisteredPublish(publisher, 1)
    const name = Buffer.from(topic)
    const id = Buffer.from(clientId)
    const connect = [6 + id.length, CONNECT, CLEAN_SESSION, PROTOCOL_ID, KEEP_ALIVE_S >> 8, KEEP_ALIVE_S & 0xff, ...id]
    await ask(Buffer.from(connect))
    const regack = await ask(Buffer.from([6 + name.length, REGISTER, 0, 0, 0, 1, ...name]))
    return new RegisteredPublish(publisher, Buffer.from(regack).readUInt16BE(REGACK_TOPIC_AT))
  }

  next(nowMs: number): Buffer {
    this.#bytes.writeUInt16BE((this.#sent % LAST_MESSAGE_ID) + 1, MESSAGE_ID_AT)
    this.#sent++
    stamp(this.#bytes, PAYLOAD_AT, this.#publisher, this.#sent, nowMs)
    return this.#bytes
  }

  isSuccess(answer: Uint8Array): boolean {
    return answer[1] === PUBACK && answer.at(-1) === 0
  }
}
