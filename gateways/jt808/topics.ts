/** What a terminal's messages are on the unified topics: envelopes of locations and events. */
import { isDecimal } from '#bytes/bcd'
import { toHex } from '#bytes/hex'
import { encodeEnvelope } from '#sdk'
import { alarmNames } from './codec/bodies/alarms.ts'
import { type AuthenticateDetails, withoutCode } from './codec/bodies/authenticate.ts'
import { Status } from './codec/bodies/location.ts'
import { statusNames } from './codec/bodies/status-flags.ts'
import { shown } from './codec/bodies/text.ts'
import {
  explain,
  type Header,
  type Location,
  type Message,
  nativeOf,
  type Opaque,
  presentBody,
  presentHeader,
  type Register,
} from './codec/index.ts'
import { utcOf } from './codec/time.ts'
import type { Config } from './config.ts'
import { type Place, toWgs84 } from './gcj02.ts'
import type { EventMessage } from './uplink.ts'

/** Who speaks, and when. */
export interface Origin {
  readonly device: string
  /** Name of the gateway instance. */
  readonly gateway: string
  /** Milliseconds since the epoch. */
  readonly ts: number
  /** Include the full decode. */
  readonly native: boolean
}

/** An authentication code is between terminal and platform. */
function withoutSecrets(message: Message): Message {
  return message.type === 'authenticate' ? { ...message, body: withoutCode(message.body) } : message
}

export type Data = Readonly<Record<string, unknown>>

/** The UTF-8 JSON of an envelope about `message`. */
export function envelope(origin: Origin, type: string, data: Data, message: Message | undefined): Uint8Array {
  const { device, gateway, ts } = origin
  const native = origin.native && message !== undefined ? nativeOf(withoutSecrets(message)) : undefined
  return encodeEnvelope({ device, protocol: 'jt808', gateway, type, data, native }, ts)
}

/** The same about a message whose body is decoded by the config: `data` is the body in `native` as well. */
export function vendorEnvelope({ device, gateway, ts, native }: Origin, type: string, data: Data, header: Header): Uint8Array {
  const whole = native ? { header: presentHeader(header), body: data } : undefined
  return encodeEnvelope({ device, protocol: 'jt808', gateway, type, data, native: whole }, ts)
}

const MICRO = 1e6
/** 1e-6 degrees. */
const POLE = 90 * MICRO
const ANTIMERIDIAN = 180 * MICRO
const FULL_CIRCLE = 360

/** What `location` says in `data`. */
export interface LocationFacts {
  readonly lat: number | undefined
  readonly lon: number | undefined
  readonly positioned: false | undefined
  readonly alt_m: number
  readonly speed_kmh: number
  readonly heading_deg: number | undefined
  readonly time: string | undefined
  readonly time_raw: string | undefined
  readonly alarms: readonly string[]
  readonly status: readonly string[]
}

/**
 * Members that are unknown are undefined, which JSON leaves out. `positioned` is there, and false, only when the terminal
 * has no fix: the position is then its last one. `time_raw` is there when the time is no decimal number: its digits.
 */
export function locationData(location: Location, coordinates: Config['coordinates'] = 'wgs84'): LocationFacts & Data {
  const { status } = location
  const time = utcOf(location.time)
  const north = signed(location.latitude, (status & Status.south) !== 0)
  const east = signed(location.longitude, (status & Status.west) !== 0)
  const positioned = (status & Status.positioned) !== 0
  // Without a fix many terminals send zeros, others their last position.
  const known = Math.abs(north) <= POLE && Math.abs(east) <= ANTIMERIDIAN && (positioned || north !== 0 || east !== 0)
  const place = { lat: north / MICRO, lon: east / MICRO }
  const { lat, lon } = coordinates === 'gcj02' && known ? rounded(toWgs84(place)) : place
  return {
    lat: known ? lat : undefined,
    lon: known ? lon : undefined,
    positioned: positioned ? undefined : false,
    alt_m: (location.altitude << 16) >> 16,
    speed_kmh: location.speed / 10,
    heading_deg: location.direction < FULL_CIRCLE ? location.direction : undefined,
    time,
    time_raw: time !== undefined || isDecimal(location.time) ? undefined : location.time,
    alarms: alarmNames(location.alarm),
    status: statusNames(status),
  }
}

/** What the terminal measures: more digits would be none of the device's. */
function rounded({ lat, lon }: Place): Place {
  return { lat: Math.round(lat * MICRO) / MICRO, lon: Math.round(lon * MICRO) / MICRO }
}

/** The standard's magnitude and direction; some devices send a negative number instead. */
function signed(magnitude: number, negative: boolean): number {
  if (magnitude > 0x7fffffff) return magnitude | 0
  return negative ? -magnitude : magnitude
}

export function registeredData(body: Register): Data {
  return {
    edition: body.edition,
    province: body.province,
    city: body.city,
    manufacturer: shown(body.manufacturer),
    model: shown(body.model),
    terminal_id: shown(body.dev_id),
    plate_color: body.color,
    plate: shown(body.license_number),
  }
}

export function authenticatedData(details: AuthenticateDetails | undefined): Data {
  return details === undefined ? {} : { imei: shown(details.imei), software_version: shown(details.software_version) }
}

export function unknownData(id: number, { body }: Opaque): Data {
  return { id: `0x${id.toString(16).padStart(4, '0')}`, hex: toHex(body) }
}

/** An event's data is the body as `native` shows it, with what is inside of its octets. */
export function eventData(message: EventMessage, maxInflatedBytes?: number): Data {
  return { ...presentBody(message), ...explain(message, maxInflatedBytes) }
}
