/** Messages without a body (JT/T 808 8.3, 8.7, 8.10, 8.14, 8.19, 8.46; JT/T 1078 5.3). */
import { declared } from '../declare/struct.ts'

export interface Empty {
  readonly extra_raw?: string | undefined
}

export const heartbeat = declared(0x0002, {})
export const deregister = declared(0x0003, {})
/** 2019. */
export const timeQuery = declared(0x0004, {})
export const parametersQueryAll = declared(0x8104, {})
export const attributesQuery = declared(0x8107, {})
export const locationQuery = declared(0x8201, {})
/** 2019. */
export const linkCheck = declared(0x8204, {})
export const driverQuery = declared(0x8702, {})
/** JT/T 1078 5.3.1 */
export const avAttributesQuery = declared(0x9003, {})
