/** The envelope of a location as it is written out is the one that JSON.stringify makes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Of } from '../codec/index.ts'
import { locationEnvelope } from '../location-envelope.ts'
import { envelope, locationData } from '../topics.ts'

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.oneof(fc.integer({ min: 0, max: 400_000_000 }), fc.integer({ min: 0, max: 0xffffffff }))

test('property: written out, a location is the same JSON', () => {
  const body = fc.record({
    alarm: u32,
    status: u32,
    latitude: u32,
    longitude: u32,
    altitude: u16,
    speed: u16,
    direction: u16,
    time: fc.constantFrom('261122130501', '000000000000', '26112213050a', '269922130501'),
    extras: fc.oneof(fc.constant(Uint8Array.of(0x30, 1, 28, 0x31, 1, 9)), fc.uint8Array({ maxLength: 12 })),
  })
  const phone = fc.constantFrom(['2013', '013812345678'] as const, ['2019', '0000000001381234567a'] as const)
  const part = fc.option(fc.record({ total: u16, sn: u16 }), { nil: undefined })
  const extra = fc.option(fc.constant({ load_kg: 1.5 }), { nil: undefined })
  fc.assert(
    fc.property(body, phone, u16, part, extra, fc.boolean(), (location, [form, digits], sn, parts, own, native) => {
      const header = { id: 0x0200, length: 28, form, protocol: 1, phone: digits, sn, encryption: 0, reserved: 0, part: parts }
      const message: Of<'location'> = { type: 'location', header, body: location }
      const origin = { device: digits, gateway: 'trucks "1"', ts: 1_795_348_800_000, native }
      const facts = locationData(location)
      const data = own === undefined ? facts : { ...facts, extra: own }
      assert.equal(
        Buffer.from(locationEnvelope(origin, facts, own, message)).toString(),
        Buffer.from(envelope(origin, 'location', data, message)).toString(),
      )
    }),
    { numRuns: 1000 },
  )
})
