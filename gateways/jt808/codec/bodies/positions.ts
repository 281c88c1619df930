/** Locations on demand, in batches and of a vehicle after control: 0x0201, 0x0500, 0x0704, 0x8202 (JT/T 808 8.19 to 8.21, 8.34, 8.49). */
import { u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, equals, formatOf, lenientList, not, struct, when } from '../declare/struct.ts'
import { batchItem, locationRest } from './location-field.ts'

/** 0x0201. `seq` is the serial number of the query. */
export const locationReply = formatOf(0x0201, struct({ seq: u16, params: locationRest }))

/** 0x0500: where the vehicle is after it was controlled. */
export const controlReply = formatOf(0x0500, struct({ seq: u16, location: locationRest }))

/** 0x0704. `type`: 0 a normal batch, 1 what could not be sent before. */
export const locationBatch = declared(0x0704, {
  length: countOf(u16, 'location'),
  type: u8,
  location: lenientList('length', batchItem),
})

/** 0x8202: `period` seconds between reports, 0 ends it; `expiry` seconds that it lasts. */
export const tracking = declared(0x8202, { period: u16, expiry: when(not(equals('period', 0)), u32) })
