/** Peripherals of active safety in transparent messages 0x0900: their state (0xf7) and what they are (0xf8), T/JSATL 12 4.7. */
import { Reader } from '#bytes/reader'
import { countedText, type Field, noted, u8, u32 } from '../declare/field.ts'
import { struct } from '../declare/struct.ts'

const STATES = 0xf7
const DETAILS = 0xf8

const ITEMS: Readonly<Record<number, Field<unknown>>> = {
  [STATES]: struct({
    work_state: noted(u8, '1 works, 2 stands by, 3 upgrades, 4 broken, 16 not there'),
    alarm: noted(u32, 'flags: 0 camera, 1 main storage, 2 second storage, 3 infrared, 4 speaker, 5 battery, 10 modem, 11 GNSS'),
  }),
  [DETAILS]: struct({
    company: countedText(u8),
    product: countedText(u8),
    hardware_version: countedText(u8),
    software_version: countedText(u8),
    device_id: countedText(u8),
    customer_code: countedText(u8),
  }),
}

/**
 * `[{peripheral_id, work_state, alarm}]` or `[{peripheral_id, company, ...}]`; the ids are 0x64 driver assistance, 0x65 driver
 * state, 0x66 tyres, 0x67 blind spots. Undefined for other types, and for what does not fit.
 */
export function peripheralsOf({
  type,
  data,
}: {
  readonly type: number
  readonly data: Uint8Array
}): readonly object[] | undefined {
  const item = ITEMS[type]
  if (item === undefined) return undefined
  const reader = new Reader(data)
  const peripherals: object[] = []
  for (let left = reader.u8(); left > 0 && reader.ok; left--) {
    const peripheral_id = reader.u8()
    const one = new Reader(reader.take(reader.u8()))
    peripherals.push({ peripheral_id, ...(item.show(item.read(one, {}, '2013')) as object) })
    if (!one.ok || one.remaining > 0) return undefined
  }
  return reader.ok && reader.remaining === 0 ? peripherals : undefined
}
