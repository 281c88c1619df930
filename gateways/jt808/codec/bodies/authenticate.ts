/** Authentication of a terminal, 0x0102 (JT/T 808 8.8): the code alone, or in 2019 the code, the IMEI and a version. */
import { layout } from '#bytes/layout'
import { fieldsOf } from '../declare/compiled.ts'
import type { Intake } from '../declare/field.ts'
import { struct } from '../declare/struct.ts'
import type { BodyFormat } from './format.ts'

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

const struct2013 = struct(fieldsOf(code2013))
const struct2019 = struct(fieldsOf(body2019))

export const authenticate: BodyFormat<Authenticate> = {
  id: 0x0102,
  shape: { kind: 'by-form', 2013: struct2013.shape, 2019: struct2019.shape },
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
  present({ code, details }) {
    const shown = code === '' ? undefined : code
    return (details === undefined ? struct2013 : struct2019).show({ code: shown, ...details }) as object
  },
  take(json, form) {
    const intake: Intake = { form, faults: [] }
    const taken = (form === '2019' ? struct2019 : struct2013).take(json, 'args', {}, intake)
    if (intake.faults.length > 0) return { faults: intake.faults }
    const { code, ...details } = taken as unknown as { code: string } & AuthenticateDetails
    return { body: { code, details: form === '2019' ? details : undefined } }
  },
}

/** The code is a secret between terminal and platform: an empty one does not show. */
export function withoutCode(body: Authenticate): Authenticate {
  return { ...body, code: '' }
}
