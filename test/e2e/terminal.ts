/** A JT/T 808 terminal on a bare connection: whole frames in, and their header fields out (2013 header, JT/T 808 4.4). */
import type { Cleanup } from './child.ts'
import { TcpPeer } from './tcp-peer.ts'
import { until } from './waiting.ts'

/** Phone number of every frame below. */
export const PHONE = '013912345678'

/** Frames of one terminal, 2013 edition, in the order of their serial numbers. */
export const FRAMES = {
  /** 0x0100, serial 2: province 44, city 300, plate colour 1. */
  register:
    '7e0100002d0139123456780002002c012c37303131314d4f44454c2d41000000000000000000000000004944303030303101d4c1423132333435517e',
  /** 0x0102, serial 3, code `AUTH01`. */
  authenticate: '7e0102000601391234567800034155544830313f7e',
  /** 0x0200, serial 4: 22.543210 N, 114.057890 E, 50 m, 60.5 km/h, 90 degrees, 2026-11-22 13:05:01 +08:00. */
  location:
    '7e0200002c013912345678000400000000000000030157fb6a06cc62a20032025d005a261122130501010400003039020201c830011f31010c367e',
  /** 0x0200, serial 5: 13.025660 S, 44.230088 W. */
  southWest: '7e0200001c0139123456780005000000000000000f00c6c17c02a2e5c80032025d005a261122130501e77e',
  /** 0x0200, serial 0x7d and altitude 0x7d: both escaped. */
  escaped:
    '7e0200002c013912345678007d0100000000000000030157fb6a06cc62a2007d01025d005a261122130501010400003039020201c830011f31010c007e',
} as const

export interface Frame {
  readonly id: number
  readonly serial: number
  readonly body: Buffer
}

export function bytesOf(...frames: readonly string[]): Buffer {
  return Buffer.from(frames.join(''), 'hex')
}

/** What a frame says otherwise than it should, or more. */
interface Unusual {
  readonly phone?: string
  /** Of the body, as the header has it. */
  readonly length?: number
  readonly part?: { readonly total: number; readonly sn: number }
}

const PART_BIT = 0x2000

/** A frame of the 2013 edition from the terminal `PHONE`. */
export function frameOf(id: number, serial: number, body: Uint8Array, { phone = PHONE, length, part }: Unusual = {}): Buffer {
  const start = part === undefined ? 12 : 16
  const plain = Buffer.alloc(start + body.length + 1)
  plain.writeUInt16BE(id, 0)
  plain.writeUInt16BE((length ?? body.length) | (part === undefined ? 0 : PART_BIT), 2)
  plain.write(phone, 4, 'hex')
  plain.writeUInt16BE(serial, 10)
  if (part !== undefined) plain.writeUInt32BE(part.total * 0x10000 + part.sn, 12)
  plain.set(body, start)
  plain[plain.length - 1] = plain.subarray(0, -1).reduce((sum, byte) => sum ^ byte, 0)
  const escaped = [...plain].flatMap((byte) => (byte === 0x7d ? [0x7d, 1] : byte === 0x7e ? [0x7d, 2] : [byte]))
  return Buffer.from([0x7e, ...escaped, 0x7e])
}

export class Terminal {
  readonly peer: TcpPeer

  constructor(peer: TcpPeer) {
    this.peer = peer
  }

  /** Registers, then authenticates with the code that it was given. */
  static async signOn(port: number, cleanup: Cleanup): Promise<Terminal> {
    const terminal = new Terminal(await TcpPeer.open(port, cleanup))
    terminal.peer.send(bytesOf(FRAMES.register))
    const registered = await terminal.frame(0x8100)
    const code = registered.body.subarray(3)
    terminal.peer.send(frameOf(0x0102, 3, code))
    await terminal.acknowledged(0x0102, 3)
    return terminal
  }

  /** Whole frames that came so far. */
  frames(): Frame[] {
    return this.peer.received
      .toString('latin1')
      .split('\x7e')
      .filter((part) => part.length > 0)
      .map((part) => Buffer.from(part.replaceAll('\x7d\x02', '\x7e').replaceAll('\x7d\x01', '\x7d'), 'latin1'))
      .map((plain) => ({ id: plain.readUInt16BE(0), serial: plain.readUInt16BE(10), body: plain.subarray(12, -1) }))
  }

  async frame(id: number): Promise<Frame> {
    return until(
      () => `frame 0x${id.toString(16)}; received ${this.peer.received.toString('hex')}`,
      () => this.frames().find((frame) => frame.id === id),
    )
  }

  /** Waits for the platform's answer 0x8001 to this frame, and expects success. */
  async acknowledged(id: number, serial: number): Promise<void> {
    const result = await until(
      () => `answer to 0x${id.toString(16)} ${serial}; received ${this.peer.received.toString('hex')}`,
      () => this.resultOf(id, serial),
    )
    if (result !== 'ok') throw new Error(`0x${id.toString(16)} ${serial}: ${result}`)
  }

  /** What 0x8001 said about this frame, if it came. */
  resultOf(id: number, serial: number): string | undefined {
    const answer = this.frames().find(
      (frame) => frame.id === 0x8001 && frame.body.readUInt16BE(0) === serial && frame.body.readUInt16BE(2) === id,
    )
    if (answer === undefined) return undefined
    return answer.body[4] === 0 ? 'ok' : `result ${answer.body[4]}`
  }
}
