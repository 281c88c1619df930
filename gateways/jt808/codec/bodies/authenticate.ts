/** Authentication of a terminal, 0x0102 (JT/T 808 8.8): the code alone, or in 2019 the code, the IMEI and a version. */
import { layout } from '#bytes/layout'
import type { BodyFormat } from './format.ts'
import { shown } from './text.ts'

export interface Authenticate {
  readonly code: string
  /** Details of the 2019 form. */
  readonly details: AuthenticateDetails | undefined
}

export interface AuthenticateDetails {
  readonly imei: string
  readonly software_version: string
  readonly extra_raw: string | undefined
}

const code2013 = layout((f) => ({ code: f.textRest() }))
const body2019 = layout((f) => ({
  code: f.text8(),
  imei: f.text(15),
  software_version: f.text(20),
  extra_raw: f.surplus(),
}))

export const authenticate: BodyFormat<Authenticate> = {
  id: 0x0102,
  decode(bytes, start, end, form) {
    if (form === '2013') {
      const body = code2013.decode(bytes, start, end)
      return body === undefined ? undefined : { code: body.code, details: undefined }
    }
    const body = body2019.decode(bytes, start, end)
    if (body === undefined) return undefined
    const { code, ...details } = body
    return { code, details }
  },
  encode(writer, body) {
    if (body.details === undefined) code2013.encode(writer, body)
    else body2019.encode(writer, { code: body.code, ...body.details })
  },
  /** The code is a secret between terminal and platform. */
  present({ details }) {
    if (details === undefined) return {}
    return { ...details, imei: shown(details.imei), software_version: shown(details.software_version) }
  },
}
