/** A drive along waypoints, round and round: where the truck is, how fast it goes and which way it looks. */

export interface Point {
  /** WGS-84 degrees. */
  readonly lat: number
  readonly lon: number
}

export interface Position extends Point {
  readonly speedKmh: number
  /** Degrees clockwise from north. */
  readonly headingDeg: number
  /** Since the drive began. */
  readonly distanceM: number
}

/** A loop through Shanghai: People's Square, the Bund, Lujiazui, Century Park, Nanpu Bridge, Xujiahui and back. */
export const SHANGHAI: readonly Point[] = [
  { lat: 31.230416, lon: 121.473701 },
  { lat: 31.240185, lon: 121.490317 },
  { lat: 31.23969, lon: 121.499763 },
  { lat: 31.219434, lon: 121.551421 },
  { lat: 31.207402, lon: 121.503871 },
  { lat: 31.192209, lon: 121.437538 },
  { lat: 31.220367, lon: 121.445961 },
]

const METRES_PER_DEGREE = 111_320
const CRUISE_KMH = 55
const SWING_KMH = 20
const SWING_PERIOD_S = 40
const RUSH_KMH = 98
/** The driver is in a hurry for this long, this often. */
const RUSH_S = 5
const RUSH_PERIOD_S = 60

export class Drive {
  readonly #route: readonly Point[]
  readonly #lengths: readonly number[]
  readonly #lapM: number
  #elapsedS = 0
  #distanceM = 0

  constructor(route: readonly Point[] = SHANGHAI) {
    if (route.length < 2) throw new RangeError('a route has at least two points')
    this.#route = route
    this.#lengths = route.map((point, at) => metres(point, this.#next(at)))
    this.#lapM = this.#lengths.reduce((sum, length) => sum + length, 0)
    if (!(this.#lapM > 0)) throw new RangeError('the points of a route are apart from each other')
  }

  /** Drives on for so many seconds. */
  advance(seconds: number): Position {
    this.#elapsedS += seconds
    const speedKmh = this.#speed()
    this.#distanceM += (speedKmh / 3.6) * seconds
    let along = this.#distanceM % this.#lapM
    let leg = 0
    while (along > (this.#lengths[leg] as number) && leg < this.#lengths.length - 1) along -= this.#lengths[leg++] as number
    const from = this.#route[leg] as Point
    const to = this.#next(leg)
    const share = Math.min(1, along / Math.max(1, this.#lengths[leg] as number))
    return {
      lat: from.lat + (to.lat - from.lat) * share,
      lon: from.lon + (to.lon - from.lon) * share,
      speedKmh,
      headingDeg: heading(from, to),
      distanceM: this.#distanceM,
    }
  }

  #next(at: number): Point {
    return this.#route[(at + 1) % this.#route.length] as Point
  }

  #speed(): number {
    const sinceRush = this.#elapsedS % RUSH_PERIOD_S
    if (this.#elapsedS >= RUSH_PERIOD_S && sinceRush < RUSH_S) return RUSH_KMH
    return CRUISE_KMH + SWING_KMH * Math.sin((2 * Math.PI * this.#elapsedS) / SWING_PERIOD_S)
  }
}

/** `lat,lon;lat,lon;...`; undefined when it is not that. */
export function parseRoute(text: string): readonly Point[] | undefined {
  const points = text.split(';').map((pair) => {
    const [lat, lon, ...more] = pair.split(',').map(Number)
    return { lat: lat ?? Number.NaN, lon: lon ?? Number.NaN, extra: more.length }
  })
  const valid = points.every(({ lat, lon, extra }) => Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && extra === 0)
  return valid && points.length >= 2 ? points.map(({ lat, lon }) => ({ lat, lon })) : undefined
}

/** Good enough within a city. */
function metres(from: Point, to: Point): number {
  const north = (to.lat - from.lat) * METRES_PER_DEGREE
  const east = (to.lon - from.lon) * METRES_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180)
  return Math.hypot(north, east)
}

function heading(from: Point, to: Point): number {
  const north = to.lat - from.lat
  const east = (to.lon - from.lon) * Math.cos((from.lat * Math.PI) / 180)
  return (Math.round((Math.atan2(east, north) * 180) / Math.PI) + 360) % 360
}
