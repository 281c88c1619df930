/** Bodies that the simulated truck sends. */
import { writeBcd } from '#bytes/bcd'
import { encodeGbk } from '#bytes/gbk'
import { Writer } from '#bytes/writer'
import type { Version } from './frames.ts'
import type { Position } from './route.ts'

const OVERSPEED_KMH = 80
const EMERGENCY_ALARM = 1 << 0
const OVERSPEED_ALARM = 1 << 1
const ACC_ON = 1 << 0
const POSITIONED = 1 << 1
const SOUTH = 1 << 2
const WEST = 1 << 3

/** 0x0100 */
export function register(version: Version, plate: string): Uint8Array {
  const [maker, model, id] = version === '2019' ? [11, 30, 30] : [5, 20, 7]
  const body = new Writer().u16(31).u16(115)
  padded(body, 'OMNIG', maker)
  padded(body, 'SIM-TRUCK', model)
  padded(body, 'SIM0001', id)
  return body.u8(2).put(encodeGbk(plate)).finish()
}

/** 0x0102 */
export function authenticate(version: Version, code: string): Uint8Array {
  const bytes = encodeGbk(code)
  if (version === '2013') return bytes
  const body = new Writer().u8(bytes.length).put(bytes)
  padded(body, '860000000000001', 15)
  padded(body, 'SIM-1.0', 20)
  return body.finish()
}

/** 0x0200 with mileage, fuel, signal strength and satellites. */
export function location(position: Position, at: Date, emergency = false): Uint8Array {
  const { lat, lon, speedKmh, headingDeg, distanceM } = position
  const body = new Writer()
    .u32((isOverspeed(position) ? OVERSPEED_ALARM : 0) | (emergency ? EMERGENCY_ALARM : 0))
    .u32(ACC_ON | POSITIONED | (lat < 0 ? SOUTH : 0) | (lon < 0 ? WEST : 0))
    .u32(Math.round(Math.abs(lat) * 1e6))
    .u32(Math.round(Math.abs(lon) * 1e6))
    .u16(12)
    .u16(Math.round(speedKmh * 10))
    .u16(headingDeg)
  writeBcd(body, beijing(at), 6)
  body
    .u8(0x01)
    .u8(4)
    .u32(Math.round(distanceM / 100))
  body
    .u8(0x02)
    .u8(2)
    .u16(Math.max(0, 3000 - Math.round(distanceM / 400)))
  body.u8(0x30).u8(1).u8(28)
  body.u8(0x31).u8(1).u8(14)
  return body.finish()
}

/** 0x0704: points that were kept while there was no connection. */
export function batch(points: readonly Uint8Array[]): Uint8Array {
  const body = new Writer().u16(points.length).u8(1)
  for (const point of points) body.u16(point.length).put(point)
  return body.finish()
}

/** Octets of a location without its extras. */
const BASICS = 28
const PHOTO_OCTETS = 4000
/** Of every picture; each begins somewhere else in it. */
const PIXELS = Uint8Array.from({ length: PHOTO_OCTETS + 0x100 }, (_, i) => i * 31)

/** 0x0801: something like a JPEG of the first camera, by command (0) or by timer (1). */
export function photo(mediaId: number, cause: 0 | 1, where: Uint8Array): Uint8Array {
  const body = new Writer(PHOTO_OCTETS + 64).u32(mediaId).u8(0).u8(0).u8(cause).u8(1).put(where.subarray(0, BASICS))
  body.u32(0xffd8ffe0)
  const from = mediaId & 0xff
  return body
    .put(PIXELS.subarray(from, from + PHOTO_OCTETS))
    .u16(0xffd9)
    .finish()
}

export function isOverspeed(position: Position): boolean {
  return position.speedKmh > OVERSPEED_KMH
}

/** The last second that was asked for, and its digits: the trucks of a fleet ask for the same ones. */
let second = Number.NaN
let digits = ''

/** YYMMDDhhmmss at GMT+8. */
function beijing(at: Date): string {
  const asked = Math.floor(at.getTime() / 1000)
  if (asked !== second) {
    second = asked
    const text = new Date(asked * 1000 + 8 * 3_600_000).toISOString()
    digits = text.replace(/\D/g, '').slice(2, 14)
  }
  return digits
}

function padded(body: Writer, text: string, octets: number): void {
  const bytes = encodeGbk(text)
  body.put(bytes).fill(0, octets - bytes.length)
}
