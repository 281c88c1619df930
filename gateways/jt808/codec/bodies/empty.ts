/** Messages without a body: heartbeat 0x0002 and deregistration 0x0003 (JT/T 808 8.3, 8.7). */
import { layout } from '#bytes/layout'
import type { BodyFormat } from './format.ts'

export interface Empty {
  readonly extra_raw: string | undefined
}

const body = layout((f) => ({ extra_raw: f.surplus() }))

export const heartbeat: BodyFormat<Empty> = { id: 0x0002, ...body }
export const deregister: BodyFormat<Empty> = { id: 0x0003, ...body }
