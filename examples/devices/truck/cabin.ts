/** What a simulated truck has on board to be asked for: parameters, attributes, and answers to the platform's questions. */
import { writeBcd } from '#bytes/bcd'
import { encodeGbk } from '#bytes/gbk'
import type { Reader } from '#bytes/reader'
import { Writer } from '#bytes/writer'
import type { Version } from './frames.ts'

/** A message to the platform. */
export interface Reply {
  readonly id: number
  readonly body: Uint8Array
}

const OK = 0
const UNSUPPORTED = 3

/** Messages that a truck only has to take. */
const TAKEN = new Set([
  0x8202, 0x8203, 0x8204, 0x8300, 0x8301, 0x8302, 0x8303, 0x8304, 0x8400, 0x8401, 0x8600, 0x8601, 0x8602, 0x8603, 0x8604, 0x8605,
  0x8606, 0x8607, 0x8900,
])

export class Cabin {
  readonly #version: Version
  readonly #parameters = new Map<number, Uint8Array>([
    [0x0001, dword(30)],
    [0x0029, dword(10)],
    [0x0055, dword(80)],
    [0x0083, encodeGbk('沪A12345')],
    [0x0084, Uint8Array.of(2)],
  ])

  constructor(version: Version) {
    this.#version = version
  }

  /** The answer to message `id` of the platform, numbered `sn`. Undefined: the truck itself has to do something. */
  answer(id: number, sn: number, body: Reader): Reply | undefined {
    switch (id) {
      case 0x8103:
        for (let left = body.u8(); left > 0 && body.ok; left--) this.#parameters.set(body.u32(), body.take(body.u8()).slice())
        return general(sn, id, OK)
      case 0x8104:
        return this.#parametersReply(sn, [...this.#parameters.keys()])
      case 0x8106: {
        const ids: number[] = []
        for (let left = body.u8(); left > 0 && body.ok; left--) ids.push(body.u32())
        return this.#parametersReply(sn, ids)
      }
      case 0x8107:
        return { id: 0x0107, body: this.#attributes() }
      case 0x8105:
      case 0x8201:
      case 0x8801:
        return undefined
      default:
        return general(sn, id, TAKEN.has(id) ? OK : UNSUPPORTED)
    }
  }

  /** Parameters that the truck does not have are left out. */
  #parametersReply(sn: number, ids: readonly number[]): Reply {
    const known = ids.filter((id) => this.#parameters.has(id))
    const body = new Writer().u16(sn).u8(known.length)
    for (const id of known) {
      const value = this.#parameters.get(id) as Uint8Array
      body.u32(id).u8(value.length).put(value)
    }
    return { id: 0x0104, body: body.finish() }
  }

  #attributes(): Uint8Array {
    const [model, id] = this.#version === '2019' ? [30, 30] : [20, 7]
    const body = new Writer().u16(0x0004)
    padded(body, 'OMNIG', 5)
    padded(body, 'SIM-TRUCK', model)
    padded(body, 'SIM0001', id)
    writeBcd(body, '89860000000000000001', 10)
    body.u8(3).put(encodeGbk('1.0')).u8(3).put(encodeGbk('1.0'))
    return body.u8(0x03).u8(0x20).finish()
  }
}

/** 0x0001 */
export function general(seq: number, id: number, result: number): Reply {
  return { id: 0x0001, body: new Writer().u16(seq).u16(id).u8(result).finish() }
}

function dword(value: number): Uint8Array {
  return new Writer().u32(value).finish()
}

function padded(body: Writer, text: string, octets: number): void {
  const bytes = encodeGbk(text)
  body.put(bytes).fill(0, octets - bytes.length)
}
