/** Which path is which resource. */
import { COLLECTION, DATA } from '../pubsub/topic.ts'
import { TOPIC_ROOT } from '../topics.ts'
import { connection } from './connection.ts'
import { down, downData } from './down.ts'
import { ps } from './ps.ts'
import { collection, configuration } from './pubsub.ts'
import { topicData } from './pubsub-data.ts'
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

const discovery = wellKnown([ps, collection, ...FIXED.values()])

export function findResource(segments: readonly string[]): Resource | undefined {
  if (segments[0] === TOPIC_ROOT) return ps
  if (segments[0] === COLLECTION) return pubsub(segments)
  const path = segments.join('/')
  return path === '.well-known/core' ? discovery : FIXED.get(path)
}

function pubsub(segments: readonly string[]): Resource | undefined {
  if (segments.length === 1) return collection
  if (segments.length === 2) return configuration
  return segments.length === 3 && segments[2] === DATA ? topicData : undefined
}
