/** Location report, 0x0200 (JT/T 808 8.18): 28 octets of basics, then extras up to the end. */
import { layout } from '#bytes/layout'
import type { BodyFormat } from './format.ts'
import { readExtras } from './location-extras.ts'

export interface Location {
  /** Alarm flags, table 24; `alarmNames` names them. */
  readonly alarm: number
  /** Status flags, table 25; see `Status`. */
  readonly status: number
  /** 1e-6 degrees, without sign: the status tells north from south. */
  readonly latitude: number
  /** 1e-6 degrees, without sign: the status tells east from west. */
  readonly longitude: number
  /** Metres. Devices below sea level send two's complement. */
  readonly altitude: number
  /** 0.1 km/h. */
  readonly speed: number
  /** Degrees clockwise from north. */
  readonly direction: number
  /** YYMMDDhhmmss, always at GMT+8. */
  readonly time: string
  /** The list of extras as it came; `readExtras` reads it. */
  readonly extras: Uint8Array
}

/** Bits of the status that decide how the basics are read (table 25). */
export const Status = {
  positioned: 1 << 1,
  south: 1 << 2,
  west: 1 << 3,
} as const

export const location: BodyFormat<Location> = {
  id: 0x0200,
  ...layout((f) => ({
    alarm: f.u32(),
    status: f.u32(),
    latitude: f.u32(),
    longitude: f.u32(),
    altitude: f.u16(),
    speed: f.u16(),
    direction: f.u16(),
    time: f.bcd(6),
    extras: f.rest(),
  })),
  // Spelt out, since this is what a gateway does all day.
  present({ alarm, status, latitude, longitude, altitude, speed, direction, time, extras }) {
    const extra = extras.length === 0 ? undefined : readExtras(extras)
    return { alarm, status, latitude, longitude, altitude, speed, direction, time, extra }
  },
}
