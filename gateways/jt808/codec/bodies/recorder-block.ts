/**
 * Blocks of a driving recorder inside of 0x0700 (GB/T 19056-2012 annex A; 2003 has the commands 0x00 to 0x07 as well): 55 7a,
 * command, length, a reserved octet, data, and a check code that is the exclusive or of all before it. The lengths of the blocks are
 * certain, the meaning of single members less so (specs/jt808/README.md): data that does not fill its block exactly stays octets.
 */
import { xor } from '#bytes/checksum'
import { Reader } from '#bytes/reader'
import { arrayOf } from '../declare/array.ts'
import { bcd, type Field, i16, noted, text, u8, u16, u32 } from '../declare/field.ts'
import { listRest, struct } from '../declare/struct.ts'

const HEAD = 0x557a
/** Start, command, length, reserved; and the check code. */
const FRAME_OCTETS = 2 + 1 + 2 + 1 + 1
const FAILURES: Readonly<Record<number, string>> = { 250: 'collect-failed', 251: 'set-failed' }

const time = noted(bcd(6), 'YYMMDDhhmmss at GMT+8')
const licence = text(18)
const speed = noted(u8, 'km/h')
const signals = noted(u8, 'status signals, D0 the lowest bit')
const tenths = noted(bcd(4), '0.1 km')

/** Minutes of arc in ten thousandths. */
const position = { longitude: noted(u32, '0.0001 minutes'), latitude: noted(u32, '0.0001 minutes'), altitude: noted(i16, 'm') }

const records = (fields: Parameters<typeof struct>[0]) => struct({ records: listRest(struct(fields)) })

interface Block {
  readonly name: string
  readonly field: Field<unknown>
}

/** What the recorder answers when something has been set: vehicle, date of installation, signals, time, pulses, mileage. */
const SET_COMMANDS = [0x82, 0x83, 0x84, 0xc2, 0xc3, 0xc4]

const BLOCKS = new Map<number, Block>(
  (
    [
      [0x00, 'version', struct({ year: bcd(1), amendment: u8 })],
      [0x01, 'driver', struct({ licence })],
      [0x02, 'time', struct({ time })],
      [0x03, 'mileage', struct({ time, installed: time, initial: tenths, total: tenths })],
      [0x04, 'pulses', struct({ time, pulses_per_km: u16 })],
      [0x05, 'vehicle', struct({ vin: text(17), plate: text(12), plate_class: text(12) })],
      [0x06, 'signals', struct({ time, count: u8, names: listRest(text(10)) })],
      [0x07, 'recorder', struct({ maker: text(7), model: text(16), made: bcd(3), serial: u32, reserved: text(5) })],
      [0x08, 'speeds', records({ time, minute: arrayOf(struct({ speed, signals }), 60) })],
      [0x09, 'positions', records({ time, minutes: arrayOf(struct({ ...position, speed }), 60) })],
      [0x10, 'accidents', records({ time, licence, before: arrayOf(struct({ speed, signals }), 100), ...position })],
      [0x11, 'overtime', records({ licence, start_time: time, end_time: time, from: struct(position), to: struct(position) })],
      [0x12, 'drivers', records({ time, licence, event: noted(u8, '1 logged in, 2 logged out') })],
      [0x13, 'power', records({ time, event: noted(u8, '1 on, 2 off') })],
      [0x14, 'changes', records({ time, event: noted(u8, 'command that changed something') })],
      [
        0x15,
        'speed-states',
        records({
          state: noted(u8, '1 normal, 2 abnormal'),
          start_time: time,
          end_time: time,
          minute: arrayOf(struct({ speed, reference: speed }), 60),
        }),
      ],
      ...SET_COMMANDS.map((command) => [command, 'set-done', struct({})] as const),
    ] as const
  ).map(([command, name, field]) => [command, { name, field: field as Field<unknown> }]),
)

/** What a block says, under the name of its command; undefined when it is no block, or its data is not as its command has it. */
export function blockOf(data: Uint8Array): object | undefined {
  const reader = new Reader(data)
  if (reader.u16() !== HEAD) return undefined
  const command = reader.u8()
  const failure = FAILURES[command]
  if (failure !== undefined) return { command, block: failure }
  const length = reader.u16()
  reader.skip(1)
  if (!reader.ok || data.length !== FRAME_OCTETS + length || xor(data) !== 0) return undefined
  const known = BLOCKS.get(command)
  if (known === undefined) return undefined
  const content = new Reader(data, reader.offset, data.length - 1)
  const value = known.field.read(content, {}, '2013')
  if (!content.ok || content.remaining > 0) return undefined
  return { command, block: known.name, ...(known.field.show(value) as object) }
}
