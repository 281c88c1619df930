/** Answer to a registration, 0x8100 (JT/T 808 8.6). */
import { textRest, u8, u16 } from '../declare/field.ts'
import { formatOf, orElse, struct } from '../declare/struct.ts'

export interface RegisterResponse {
  /** Serial number of the registration. */
  readonly seq: number
  /** 0 registered; 1 and 2 the vehicle, 3 and 4 the terminal: already registered, not in the database. */
  readonly result: number
  /** Present on the wire only when the result is 0. */
  readonly auth_code: string
}

export const registerResponse = formatOf<RegisterResponse>(
  0x8100,
  struct({ seq: u16, result: u8, auth_code: orElse(textRest, '') }),
)
