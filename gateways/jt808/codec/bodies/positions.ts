/** Locations on demand, in batches and of a vehicle after control: 0x0201, 0x0500, 0x0704, 0x8202 (JT/T 808 8.19 to 8.21, 8.34, 8.49). */
import { noted, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, equals, formatOf, lenientList, not, struct, when } from '../declare/struct.ts'
import { batchItem, locationRest } from './location-field.ts'

/** 0x0201 */
export const locationReply = formatOf(0x0201, struct({ seq: noted(u16, 'serial number of the query'), params: locationRest }))

/** 0x0500: where the vehicle is after it was controlled. */
export const controlReply = formatOf(0x0500, struct({ seq: u16, location: locationRest }))

/** 0x0704 */
export const locationBatch = declared(0x0704, {
  length: countOf(u16, 'location'),
  type: noted(u8, '0 a normal batch, 1 what could not be sent before'),
  location: lenientList('length', batchItem),
})

/** 0x8202 */
export const tracking = declared(0x8202, {
  period: noted(u16, 's between reports; 0 ends it'),
  expiry: when(not(equals('period', 0)), noted(u32, 's that it lasts')),
})
