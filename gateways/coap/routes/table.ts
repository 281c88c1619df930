/** Which path is which resource. */
import { TOPIC_ROOT } from '../topics.ts'
import { connection } from './connection.ts'
import { ps } from './ps.ts'
import type { Resource } from './resource.ts'
import { upData, upEvent, upTelemetry } from './up.ts'
import { wellKnown } from './well-known.ts'

const FIXED: ReadonlyMap<string, Resource> = new Map([
  ['mqtt/connection', connection],
  ['up/telemetry', upTelemetry],
  ['up/event', upEvent],
  ['up/data', upData],
])

const discovery = wellKnown([ps, ...FIXED.values()])

export function findResource(segments: readonly string[]): Resource | undefined {
  if (segments[0] === TOPIC_ROOT) return ps
  const path = segments.join('/')
  return path === '.well-known/core' ? discovery : FIXED.get(path)
}
