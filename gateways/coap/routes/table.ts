/** Which path is which resource. */
import { TOPIC_ROOT } from '../topics.ts'
import { connection } from './connection.ts'
import { down, downData } from './down.ts'
import { ps } from './ps.ts'
import type { Resource } from './resource.ts'
import { upData, upEvent, upResponse, upTelemetry } from './up.ts'
import { wellKnown } from './well-known.ts'

const FIXED: ReadonlyMap<string, Resource> = new Map([
  ['mqtt/connection', connection],
  ['up/telemetry', upTelemetry],
  ['up/event', upEvent],
  ['up/data', upData],
  ['up/response', upResponse],
  ['down', down],
  ['down/data', downData],
])

const discovery = wellKnown([ps, ...FIXED.values()])

export function findResource(segments: readonly string[]): Resource | undefined {
  if (segments[0] === TOPIC_ROOT) return ps
  const path = segments.join('/')
  return path === '.well-known/core' ? discovery : FIXED.get(path)
}
