/**
 * Alarms as events: a location report carries the flags of all alarms that are on, second after second; what an application wants
 * to hear is that one begins or ends (JT/T 808 table 24). Alarms of active safety (T/JSATL 12) come as additional items, once each.
 */
import { alarmNames } from './codec/bodies/alarms.ts'
import { readExtras } from './codec/bodies/location-extras.ts'
import type { Location } from './codec/index.ts'
import type { Config } from './config.ts'
import { type Data, locationData } from './topics.ts'

/** Ids of `adas`, `dsm`, `tpms` and `bsd`. */
const FIRST_ACTIVE = 0x64
const LAST_ACTIVE = 0x67
const ACTIVE = ['adas', 'dsm', 'tpms', 'bsd'] as const

/** What changed since a report with the alarm flags `before`; undefined when nothing did. */
export function alarmData(before: number, location: Location, coordinates: Config['coordinates']): Data | undefined {
  const active = activeSafetyOf(location.extras)
  if (location.alarm === before && active === undefined) return undefined
  return {
    began: alarmNames(location.alarm & ~before),
    ended: alarmNames(before & ~location.alarm),
    ...active,
    location: locationData(location, coordinates),
  }
}

/** The items of active safety by name. One that is not as its table says is none. */
function activeSafetyOf(extras: Uint8Array): Data | undefined {
  let at = 0
  while (at < extras.length) {
    const id = extras[at] as number
    if (id >= FIRST_ACTIVE && id <= LAST_ACTIVE) break
    at += 2 + (extras[at + 1] ?? 0)
  }
  if (at >= extras.length) return undefined
  const all = readExtras(extras)
  const found = ACTIVE.filter((name) => all[name] !== undefined).map((name) => [name, all[name]] as const)
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
