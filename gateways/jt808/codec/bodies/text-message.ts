/** Text for the terminal's display, voice or advertising screen, 0x8300 (JT/T 808 8.23). */
import { layout } from '#bytes/layout'
import type { BodyFormat } from './format.ts'
import { shown } from './text.ts'

export interface TextMessage {
  /** See `TextFlag`. */
  readonly flag: number
  /** 2019: 1 notice, 2 service. Not in the 2013 form. */
  readonly text_type: number | undefined
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

const body2013 = layout((f) => ({ flag: f.u8(), text: f.textRest() }))
const body2019 = layout((f) => ({ flag: f.u8(), text_type: f.u8(), text: f.textRest() }))

export const textMessage: BodyFormat<TextMessage> = {
  id: 0x8300,
  decode(bytes, start, end, form) {
    if (form === '2019') return body2019.decode(bytes, start, end)
    const body = body2013.decode(bytes, start, end)
    return body === undefined ? undefined : { flag: body.flag, text_type: undefined, text: body.text }
  },
  encode(writer, body) {
    if (body.text_type === undefined) body2013.encode(writer, body)
    else body2019.encode(writer, { ...body, text_type: body.text_type })
  },
  present(body) {
    return { ...body, text: shown(body.text) }
  },
}
