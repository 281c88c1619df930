/** Circles, rectangles, polygons and routes: set, deleted, queried (JT/T 808 8.35 to 8.42; 2019: 8.43). */
import { bcd, bytesRest, namedText, octetsOf, u8, u16, u32 } from '../declare/field.ts'
import { bit, both, countOf, declared, formatOf, in2019, list, orElse, struct, when } from '../declare/struct.ts'

const timed = bit('flag', 0)
const limited = bit('flag', 1)

/** BCD times with zeros where a part does not matter: `000000083000` is every day at 8:30. */
const period = { start_time: when(timed, bcd(6)), end_time: when(timed, bcd(6)) }
/** km/h and seconds. */
const limit = { max_speed: when(limited, u16), overspeed_duration: when(limited, u8) }
const nightLimit = { night_max_speed: when(both(in2019, limited), u16) }
const name = { name_len: when(in2019, octetsOf(u16, 'name')), name: when(in2019, orElse(namedText('name_len'), '')) }

/** 0x8600. `type`: 0 replace all, 1 append, 2 modify; coordinates in 1e-6 degrees, `radius` in metres. */
export const setCircles = declared(0x8600, {
  type: u8,
  length: countOf(u8, 'areas'),
  areas: list(
    'length',
    struct({
      id: u32,
      flag: u16,
      center_latitude: u32,
      center_longitude: u32,
      radius: u32,
      ...period,
      ...limit,
      ...nightLimit,
      ...name,
    }),
  ),
})

/** 0x8602: left top and right bottom. */
export const setRectangles = declared(0x8602, {
  type: u8,
  length: countOf(u8, 'areas'),
  areas: list(
    'length',
    struct({
      id: u32,
      flag: u16,
      lt_lat: u32,
      lt_lng: u32,
      rb_lat: u32,
      rb_lng: u32,
      ...period,
      ...limit,
      ...nightLimit,
      ...name,
    }),
  ),
})

/** 0x8604 */
export const setPolygon = declared(0x8604, {
  id: u32,
  flag: u16,
  ...period,
  ...limit,
  length: countOf(u16, 'points'),
  points: list('length', struct({ lat: u32, lng: u32 })),
  ...nightLimit,
  ...name,
})

const dwelling = bit('attrib', 0)
const segmentLimited = bit('attrib', 1)

/** 0x8606. `width` in metres; `passed` and `uncovered`: seconds on a segment that are too long and too short. */
export const setRoute = declared(0x8606, {
  id: u32,
  flag: u16,
  ...period,
  length: countOf(u16, 'points'),
  points: list(
    'length',
    struct({
      point_id: u32,
      path_id: u32,
      point_lat: u32,
      point_lng: u32,
      width: u8,
      attrib: u8,
      passed: when(dwelling, u16),
      uncovered: when(dwelling, u16),
      max_speed: when(segmentLimited, u16),
      overspeed_duration: when(segmentLimited, u8),
      night_max_speed: when(both(in2019, segmentLimited), u16),
    }),
  ),
  ...name,
})

const deletion = (id: number) => declared(id, { length: countOf(u8, 'ids'), ids: list('length', u32) })

/** No ids delete all of the kind. */
export const deleteCircles = deletion(0x8601)
export const deleteRectangles = deletion(0x8603)
export const deletePolygons = deletion(0x8605)
export const deleteRoutes = deletion(0x8607)

/** 0x8608. `type`: 1 circles, 2 rectangles, 3 polygons, 4 routes; no ids ask for all. */
export const areasQuery = declared(0x8608, { type: u8, count: countOf(u32, 'ids'), ids: orElse(list('count', u32), []) })

/** 0x0608. The text contradicts itself about the items: they stay octets. */
export const areasReply = formatOf(0x0608, struct({ type: u8, count: u32, data: bytesRest }))
