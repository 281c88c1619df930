/**
 * GCJ-02, the shifted coordinates that maps of mainland China must use, and WGS-84. The shift is a known polynomial with sines of the
 * place; its inverse has no closed form and is found by repeating. Outside a box around China the two are the same.
 */

/** Degrees. */
export interface Place {
  readonly lat: number
  readonly lon: number
}

/** Krasovsky 1940: semi-major axis in metres, and the first eccentricity squared. */
const AXIS_M = 6_378_245
const ECCENTRICITY = 0.006_693_421_622_965_943

const RADIANS = Math.PI / 180

const BOX = { south: 0.8293, north: 55.8271, west: 72.004, east: 137.8347 }

/** Repetitions that bring the inverse below a micrometre; each makes the error about a thousand times smaller. */
const STEPS = 5

export function toGcj02(place: Place): Place {
  if (!isInChina(place)) return place
  const shift = shiftAt(place)
  return { lat: place.lat + shift.lat, lon: place.lon + shift.lon }
}

export function toWgs84(place: Place): Place {
  if (!isInChina(place)) return place
  let { lat, lon } = place
  for (let step = 0; step < STEPS; step++) {
    const shift = shiftAt({ lat, lon })
    lat = place.lat - shift.lat
    lon = place.lon - shift.lon
  }
  return { lat, lon }
}

function isInChina({ lat, lon }: Place): boolean {
  return lat >= BOX.south && lat <= BOX.north && lon >= BOX.west && lon <= BOX.east
}

/** Degrees by which GCJ-02 is north and east of WGS-84. */
function shiftAt({ lat, lon }: Place): Place {
  const x = lon - 105
  const y = lat - 35
  const common = 20 * sin(6 * x) + 20 * sin(2 * x)
  const north =
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * Math.sqrt(Math.abs(x)) +
    ((common + 20 * sin(y) + 40 * sin(y / 3) + 160 * sin(y / 12) + 320 * sin(y / 30)) * 2) / 3
  const east =
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * Math.sqrt(Math.abs(x)) +
    ((common + 20 * sin(x) + 40 * sin(x / 3) + 150 * sin(x / 12) + 300 * sin(x / 30)) * 2) / 3
  const latitude = lat * RADIANS
  const w = 1 - ECCENTRICITY * Math.sin(latitude) ** 2
  return {
    lat: north / (((AXIS_M * (1 - ECCENTRICITY)) / (w * Math.sqrt(w))) * RADIANS),
    lon: east / ((AXIS_M / Math.sqrt(w)) * Math.cos(latitude) * RADIANS),
  }
}

/** Of so many half turns. */
function sin(halfTurns: number): number {
  return Math.sin(halfTurns * Math.PI)
}
