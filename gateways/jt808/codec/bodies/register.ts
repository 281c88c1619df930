/** Registration of a terminal, 0x0100 (JT/T 808 8.5). The 2011 and 2013 forms share a header and differ in the body. */
import { layout } from '#bytes/layout'
import { fieldsOf } from '../declare/compiled.ts'
import type { Intake } from '../declare/field.ts'
import { struct } from '../declare/struct.ts'
import type { BodyFormat } from './format.ts'

export interface Register {
  /** First two digits of the GB/T 2260 code; 0 leaves it to the platform. */
  readonly province: number
  /** Last four digits of the GB/T 2260 code. */
  readonly city: number
  readonly manufacturer: string
  readonly model: string
  /** Terminal id, given by its maker. */
  readonly dev_id: string
  /** JT/T 415 or JT/T 697.7: 0 not licensed, 1 blue, 2 yellow, 3 black, 4 white, 5 green, 9 other. */
  readonly color: number
  /** Licence plate, or the VIN when the colour is 0. */
  readonly license_number: string
  readonly edition: '2011' | '2013' | '2019'
}

type Edition = Register['edition']

const fields = (manufacturer: number, model: number, terminalId: number) =>
  layout((f) => ({
    province: f.u16(),
    city: f.u16(),
    manufacturer: f.text(manufacturer),
    model: f.text(model),
    dev_id: f.text(terminalId),
    color: f.u8(),
    license_number: f.textRest(),
  }))

const LAYOUTS = { '2011': fields(5, 8, 7), '2013': fields(5, 20, 7), '2019': fields(11, 30, 30) } as const

/** Octets before the plate. */
const FIXED_2013 = 37
const COLOR_2011 = 24
const COLOR_2013 = 36
const COLORS = new Set([0, 1, 2, 3, 4, 5, 9, 93, 94])

/**
 * Nothing in a frame tells a 2011 terminal from one of 2013. A body too short for 2013 is of 2011; a longer one is when
 * its plate colour makes sense only there (a plate or VIN of 12 octets or more reaches as far).
 */
function editionOf(bytes: Uint8Array, start: number, end: number): Edition {
  if (end - start < FIXED_2013) return '2011'
  const is2013 = COLORS.has(bytes[start + COLOR_2013] as number)
  return !is2013 && COLORS.has(bytes[start + COLOR_2011] as number) ? '2011' : '2013'
}

const STRUCTS = {
  '2011': struct(fieldsOf(LAYOUTS['2011'])),
  '2013': struct(fieldsOf(LAYOUTS['2013'])),
  '2019': struct(fieldsOf(LAYOUTS['2019'])),
} as const

export const register: BodyFormat<Register> = {
  id: 0x0100,
  shape: {
    kind: 'by-form',
    2013: { kind: 'either', of: [STRUCTS['2013'].shape, STRUCTS['2011'].shape] },
    2019: STRUCTS['2019'].shape,
  },
  decode(bytes, start, end, form) {
    const edition = form === '2019' ? form : editionOf(bytes, start, end)
    const body = LAYOUTS[edition].decode(bytes, start, end)
    return body === undefined ? undefined : { ...body, edition }
  },
  encode(writer, body) {
    LAYOUTS[body.edition].encode(writer, body)
  },
  present: (body) => ({ ...(STRUCTS[body.edition].show({ ...body }) as object), edition: body.edition }),
  take(json, form) {
    const { edition = form, ...fields } = Object(json) as Record<string, unknown>
    const intake: Intake = { form, faults: [] }
    const fits = form === '2019' ? edition === '2019' : edition === '2013' || edition === '2011'
    if (!fits) intake.faults.push('args.edition: must be that of the header')
    const known = fits ? (edition as Edition) : form
    const body = STRUCTS[known].take(fields, 'args', {}, intake) as unknown as Register
    return intake.faults.length === 0 ? { body: { ...body, edition: known } } : { faults: intake.faults }
  },
}
