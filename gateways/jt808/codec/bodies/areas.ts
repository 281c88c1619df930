/** Circles, rectangles, polygons and routes: set, deleted, queried (JT/T 808 8.35 to 8.42; 2019: 8.43). */
import { Reader } from '#bytes/reader'
import { bcd, bytesRest, type Field, namedText, noted, octetsOf, u8, u16, u32 } from '../declare/field.ts'
import { bit, both, countOf, declared, formatOf, in2019, list, orElse, struct, when } from '../declare/struct.ts'

const timed = bit('flag', 0)
const limited = bit('flag', 1)

/** `000000083000` is every day at 8:30. */
const time = noted(bcd(6), 'YYMMDDhhmmss at GMT+8; zeros where a part does not matter')
const period = { start_time: when(timed, time), end_time: when(timed, time) }
const speed = noted(u16, 'km/h')
const duration = noted(u8, 's')
const limit = { max_speed: when(limited, speed), overspeed_duration: when(limited, duration) }
const nightLimit = { night_max_speed: when(both(in2019, limited), speed) }
const name = { name_len: when(in2019, octetsOf(u16, 'name')), name: when(in2019, orElse(namedText('name_len'), '')) }

const action = noted(u8, '0 replace all, 1 append, 2 modify')
const degrees = noted(u32, '1e-6 degrees')
const attributes = noted(
  u16,
  'flags: 0 timed, 1 speed limit, 2 to 5 alarm on entering (driver, platform) and leaving, 6 south, 7 west, 8 doors stay shut, 14 no communication, 15 GNSS details',
)

const circle = struct({
  id: u32,
  flag: attributes,
  center_latitude: degrees,
  center_longitude: degrees,
  radius: noted(u32, 'm'),
  ...period,
  ...limit,
  ...nightLimit,
  ...name,
})

/** Left top and right bottom. */
const rectangle = struct({
  id: u32,
  flag: attributes,
  lt_lat: degrees,
  lt_lng: degrees,
  rb_lat: degrees,
  rb_lng: degrees,
  ...period,
  ...limit,
  ...nightLimit,
  ...name,
})

const polygon = {
  id: u32,
  flag: attributes,
  ...period,
  ...limit,
  length: countOf(u16, 'points'),
  points: list('length', struct({ lat: degrees, lng: degrees })),
  ...nightLimit,
  ...name,
}

const dwelling = bit('attrib', 0)
const segmentLimited = bit('attrib', 1)

const turn = struct({
  point_id: u32,
  path_id: u32,
  point_lat: degrees,
  point_lng: degrees,
  width: noted(u8, 'm'),
  attrib: noted(u8, 'flags: 0 travel time, 1 speed limit, 2 south, 3 west'),
  passed: when(dwelling, noted(u16, 's on the segment that are too long')),
  uncovered: when(dwelling, noted(u16, 's on the segment that are too short')),
  max_speed: when(segmentLimited, speed),
  overspeed_duration: when(segmentLimited, duration),
  night_max_speed: when(both(in2019, segmentLimited), speed),
})

const route = {
  id: u32,
  flag: noted(u16, 'flags: 0 timed, 2 to 5 alarm on entering (driver, platform) and leaving'),
  ...period,
  length: countOf(u16, 'points'),
  points: list('length', turn),
  ...name,
}

export const setCircles = declared(0x8600, { type: action, length: countOf(u8, 'areas'), areas: list('length', circle) })
export const setRectangles = declared(0x8602, { type: action, length: countOf(u8, 'areas'), areas: list('length', rectangle) })
export const setPolygon = declared(0x8604, polygon)
export const setRoute = declared(0x8606, route)

/** Action and count, before the areas of 0x8600 and 0x8602. */
const HEADING_OCTETS = 2

const deletion = (id: number) => declared(id, { length: countOf(u8, 'ids'), ids: list('length', u32) })

/** No ids delete all of the kind. */
export const deleteCircles = deletion(0x8601)
export const deleteRectangles = deletion(0x8603)
export const deletePolygons = deletion(0x8605)
export const deleteRoutes = deletion(0x8607)

const kind = noted(u8, '1 circles, 2 rectangles, 3 polygons, 4 routes')

/** 0x8608. No ids ask for all. */
export const areasQuery = declared(0x8608, { type: kind, count: countOf(u32, 'ids'), ids: orElse(list('count', u32), []) })

/** 0x0608. The text contradicts itself about the items: they stay octets; `areasOf` reads them where they are areas. */
export const areasReply = formatOf(0x0608, struct({ type: kind, count: u32, data: bytesRest }))

const ITEMS: Readonly<Record<number, Field<unknown>>> = { 1: circle, 2: rectangle, 3: struct(polygon), 4: struct(route) }

/** The areas of a reply, as their own messages show them: `count` of them, alone or each list in the body of such a message. */
export function areasOf({
  type,
  count,
  data,
}: {
  type: number
  count: number
  data: Uint8Array
}): readonly unknown[] | undefined {
  const item = ITEMS[type]
  // Every area takes an octet at least.
  if (item === undefined || count > data.length) return undefined
  for (const start of [0, HEADING_OCTETS]) {
    const reader = new Reader(data, Math.min(start, data.length))
    const areas: unknown[] = []
    while (areas.length < count && reader.ok) areas.push(item.show(item.read(reader, {}, '2019')))
    if (reader.ok && reader.remaining === 0) return areas
  }
  return undefined
}
