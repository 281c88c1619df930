/** Text for the terminal's display, voice or advertising screen, 0x8300 (JT/T 808 8.23). */
import { textRest, u8 } from '../declare/field.ts'
import { formatOf, in2019, orElse, struct, when } from '../declare/struct.ts'

export interface TextMessage {
  /** See `TextFlag`. */
  readonly flag: number
  /** 2019: 1 notice, 2 service. Not in the 2013 form. */
  readonly text_type?: number | undefined
  readonly text: string
}

export const TextFlag = {
  /** 2013: bit 0. */
  urgent2013: 0x01,
  /** 2019: bits 0 and 1 are a number. */
  service2019: 0x01,
  urgent2019: 0x02,
  notice2019: 0x03,
  display: 0x04,
  tts: 0x08,
  /** Advertising screen; reserved in 2019. */
  adScreen: 0x10,
  /** A CAN fault code instead of navigation information. */
  canFault: 0x20,
} as const

const NOTICE = 1

export const textMessage = formatOf<TextMessage>(
  0x8300,
  struct({ flag: u8, text_type: when(in2019, orElse(u8, NOTICE)), text: textRest }),
)
