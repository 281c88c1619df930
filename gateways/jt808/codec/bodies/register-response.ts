/** Answer to a registration, 0x8100 (JT/T 808 8.6). */
import { layout } from '#bytes/layout'
import type { BodyFormat } from './format.ts'

export interface RegisterResponse {
  /** Serial number of the registration. */
  readonly seq: number
  /** 0 registered; 1 and 2 the vehicle, 3 and 4 the terminal: already registered, not in the database. */
  readonly result: number
  /** Present on the wire only when the result is 0. */
  readonly auth_code: string
}

export const registerResponse: BodyFormat<RegisterResponse> = {
  id: 0x8100,
  ...layout((f) => ({ seq: f.u16(), result: f.u8(), auth_code: f.textRest() })),
}
