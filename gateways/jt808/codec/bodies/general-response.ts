/** General response of the terminal, 0x0001, and of the platform, 0x8001 (JT/T 808 8.1, 8.2). */
import { layout } from '#bytes/layout'
import { compiled } from '../declare/compiled.ts'
import type { BodyFormat } from './format.ts'

export interface GeneralResponse {
  /** Serial number of the frame that is answered. */
  readonly seq: number
  /** Message id of the frame that is answered. */
  readonly id: number
  /** See `Result`. */
  readonly result: number
  readonly extra_raw: string | undefined
}

export const Result = {
  ok: 0,
  failed: 1,
  badMessage: 2,
  unsupported: 3,
} as const

const body = layout((f) => ({ seq: f.u16(), id: f.u16(), result: f.u8(), extra_raw: f.surplus() }))

export const terminalResponse: BodyFormat<GeneralResponse> = compiled(0x0001, body)
export const platformResponse: BodyFormat<GeneralResponse> = compiled(0x8001, body)
