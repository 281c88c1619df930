/** What is inside of octets that messages carry for something else: recorder blocks, areas, peripherals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { xor } from '#bytes/checksum'
import { fromHex } from '#bytes/hex'
import { areasOf } from '../codec/bodies/areas.ts'
import { peripheralsOf } from '../codec/bodies/peripherals.ts'
import { blockOf } from '../codec/bodies/recorder-block.ts'
import { scene } from './scene.ts'
import { Terminal } from './terminal.ts'

const octets = (digits: string): Uint8Array => fromHex(digits) as Uint8Array
const ascii = (text: string, length: number): string => Buffer.from(text.padEnd(length, '\0')).toString('hex')

/** GB/T 19056 A.3: 55 7a, command, length, reserved, data, exclusive or. */
function block(command: number, data: string): Uint8Array {
  const content = octets(data)
  const head = Uint8Array.of(0x55, 0x7a, command, content.length >> 8, content.length & 0xff, 0)
  const all = Uint8Array.from([...head, ...content])
  return Uint8Array.from([...all, xor(all)])
}

const AT = '261122130501'
const PLACE = '02625a00' + '00d59f80' + 'fff6'

test('blocks of a recorder by their commands, 0x00 to 0x15', () => {
  assert.deepEqual(blockOf(block(0x00, '1200')), { command: 0, block: 'version', year: '12', amendment: 0 })
  assert.deepEqual(blockOf(block(0x01, ascii('310115198001011234', 18))), {
    command: 1,
    block: 'driver',
    licence: '310115198001011234',
  })
  assert.deepEqual(blockOf(block(0x02, AT)), { command: 2, block: 'time', time: AT })
  assert.deepEqual(blockOf(block(0x03, `${AT}2001010800000000000000012345`)), {
    command: 3,
    block: 'mileage',
    time: AT,
    installed: '200101080000',
    initial: '00000000',
    total: '00012345',
  })
  assert.deepEqual(blockOf(block(0x04, `${AT}0258`)), { command: 4, block: 'pulses', time: AT, pulses_per_km: 600 })
  assert.deepEqual(
    blockOf(block(0x05, ascii('LSVAA49J132047371', 17) + 'd4c1423132333435'.padEnd(24, '0') + 'b4f3d0cd'.padEnd(24, '0'))),
    {
      command: 5,
      block: 'vehicle',
      vin: 'LSVAA49J132047371',
      plate: '粤B12345',
      plate_class: '大型',
    },
  )
  const signals = blockOf(block(0x06, `${AT}01${ascii('brake', 10).repeat(8)}`)) as { names: string[] }
  assert.deepEqual(signals.names, Array(8).fill('brake'))
  const more = blockOf(block(0x06, `${AT}02${ascii('brake', 10).repeat(16)}`)) as { names: string[] }
  assert.equal(more.names.length, 16)
  assert.deepEqual(blockOf(block(0xc2, '')), { command: 0xc2, block: 'set-done' })
  assert.deepEqual(blockOf(block(0x07, `${ascii('C000001', 7) + ascii('M-1', 16)}2601020000002a0000000000`)), {
    command: 7,
    block: 'recorder',
    maker: 'C000001',
    model: 'M-1',
    made: '260102',
    serial: 42,
    reserved: '',
  })
  const speeds = blockOf(block(0x08, (AT + '3c01'.repeat(60)).repeat(2))) as { records: { time: string; minute: object[] }[] }
  assert.deepEqual([speeds.records.length, speeds.records[1]?.minute[59]], [2, { speed: 60, signals: 1 }])
  const positions = blockOf(block(0x09, AT + `${PLACE}3c`.repeat(60))) as { records: { minutes: object[] }[] }
  assert.deepEqual(positions.records[0]?.minutes[59], { longitude: 40_000_000, latitude: 14_000_000, altitude: -10, speed: 60 })
  const accidents = blockOf(block(0x10, AT + ascii('L', 18) + '3c01'.repeat(100) + PLACE)) as { records: { before: object[] }[] }
  assert.equal(accidents.records[0]?.before.length, 100)
  assert.deepEqual(blockOf(block(0x11, ascii('L', 18) + AT + AT + PLACE + PLACE)), {
    command: 0x11,
    block: 'overtime',
    records: [
      {
        licence: 'L',
        start_time: AT,
        end_time: AT,
        from: { longitude: 40_000_000, latitude: 14_000_000, altitude: -10 },
        to: { longitude: 40_000_000, latitude: 14_000_000, altitude: -10 },
      },
    ],
  })
  assert.deepEqual(blockOf(block(0x12, `${AT}${ascii('L', 18)}01`)), {
    command: 0x12,
    block: 'drivers',
    records: [{ time: AT, licence: 'L', event: 1 }],
  })
  assert.deepEqual(blockOf(block(0x13, `${AT}02`)), { command: 0x13, block: 'power', records: [{ time: AT, event: 2 }] })
  assert.deepEqual(blockOf(block(0x14, `${AT}c2`)), { command: 0x14, block: 'changes', records: [{ time: AT, event: 0xc2 }] })
  const states = blockOf(block(0x15, `01${AT}${AT}${'3c3d'.repeat(60)}`)) as { records: { minute: object[] }[] }
  assert.deepEqual(states.records[0]?.minute[0], { speed: 60, reference: 61 })
})

test('a recorder that could not, and what is no block', () => {
  assert.deepEqual(blockOf(octets('557afa')), { command: 0xfa, block: 'collect-failed' })
  assert.deepEqual(blockOf(octets('557afb')), { command: 0xfb, block: 'set-failed' })
  const good = block(0x02, AT)
  for (const bad of [
    good.slice(1),
    good.slice(0, -1),
    good.map((octet, at) => (at === 6 ? octet ^ 1 : octet)),
    block(0x02, '26'),
    block(0x77, ''),
  ])
    assert.equal(blockOf(bad), undefined)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (data) => void blockOf(Uint8Array.from([0x55, 0x7a, ...data]))))
})

test('areas of a reply, alone or in the body of their own message', () => {
  const circle = '00000001' + '0000' + '01dd4e80' + '073e7a45' + '000003e8' + '0000'
  const shown = [
    { id: 1, flag: 0, center_latitude: 31_280_768, center_longitude: 121_535_045, radius: 1000, name_len: 0, name: '' },
  ]
  assert.deepEqual(areasOf({ type: 1, count: 1, data: octets(circle) }), shown)
  assert.deepEqual(areasOf({ type: 1, count: 1, data: octets(`0001${circle}`) }), shown)
  assert.equal(areasOf({ type: 1, count: 1, data: octets(`${circle}00`) }), undefined)
  assert.equal(areasOf({ type: 9, count: 1, data: octets(circle) }), undefined)
  assert.equal(areasOf({ type: 1, count: 0xffffffff, data: octets(circle) }), undefined)
})

test('peripherals of transparent messages 0xf7 and 0xf8', () => {
  assert.deepEqual(peripheralsOf({ type: 0xf7, data: octets('02 64 05 01 00000001 65 05 10 00000000') }), [
    { peripheral_id: 0x64, work_state: 1, alarm: 1 },
    { peripheral_id: 0x65, work_state: 16, alarm: 0 },
  ])
  const details = '0141' + '0142' + '0143' + '0144' + '0145' + '00'
  assert.deepEqual(peripheralsOf({ type: 0xf8, data: octets(`0164 0b ${details}`) }), [
    {
      peripheral_id: 0x64,
      company: 'A',
      product: 'B',
      hardware_version: 'C',
      software_version: 'D',
      device_id: 'E',
      customer_code: '',
    },
  ])
  for (const data of ['01', '01 64 05 01', '01 64 04 01000000', '00 00']) {
    assert.equal(peripheralsOf({ type: 0xf7, data: octets(data) }), undefined)
  }
  assert.equal(peripheralsOf({ type: 0x41, data: octets('00') }), undefined)
})

test('events show what is inside; the octets stay beside it', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'recorder-data', body: { seq: 7, command: 2, data: block(0x02, AT) } }))
  const [event] = app.take().map((received) => received.json() as { type: string; data: Record<string, unknown> })
  assert.equal(event?.type, 'recorder-data')
  assert.deepEqual(event?.data['recorder'], { command: 2, block: 'time', time: AT })
  assert.equal(event?.data['data'], Buffer.from(block(0x02, AT)).toString('base64'))
})
