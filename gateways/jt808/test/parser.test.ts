/** The parser as a library: what an application does with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '#bytes/hex'
import * as parser from '../parser.ts'

const { decode, draftOf, FlagFramer, framesOf, isMalformed, toJson } = parser
const PARTY = { phone: '013912345678', form: '2013' } as const

function messages(...chunks: Uint8Array[]): parser.Message[] {
  const found: parser.Message[] = []
  const framer = new FlagFramer()
  for (const chunk of chunks) {
    framer.push(chunk, {
      frame(bytes) {
        const message = decode(bytes)
        assert.ok(!isMalformed(message))
        found.push(message)
        return undefined
      },
      malformed: (error) => assert.fail(error.malformed),
    })
  }
  return found
}

test('a stream becomes typed messages', () => {
  const [frame = assert.fail()] = framesOf(PARTY, { type: 'tracking', body: { period: 5, expiry: 600 } }, 7)
  const [message = assert.fail()] = messages(frame.subarray(0, 9), frame.subarray(9))
  assert.ok(message.type === 'tracking')
  assert.equal(message.body.period, 5)
  assert.equal(message.header.sn, 7)
  assert.deepEqual((toJson(message) as { body: object }).body, { period: 5, expiry: 600 })
})

test('a long message becomes parts, and the parts the message', () => {
  const multimedia = Uint8Array.from({ length: 3000 }, (_, i) => i)
  const draft: parser.Draft = { type: 'media-data', body: { id: 1, type: 0, format: 0, event: 0, channel: 1, multimedia } }
  const frames = framesOf({ phone: '00000000013912345678', form: '2019' }, draft, 65_534)
  assert.equal(frames.length, 4)
  const assemblies = new parser.Assemblies({ used: 0, limit: 1e6 })
  const limits = { maxParts: 100, maxBytes: 1e6, maxAssemblies: 1 }
  let whole: parser.Message | undefined
  for (const part of messages(...frames.reverse())) {
    assert.ok(part.type === 'opaque' && part.why === 'part')
    const added = assemblies.add(part.header, part.body, part.header.sn, 0, limits, () => {})
    if (added.kind === 'complete')
      whole = parser.readMessage({ ...part.header, part: undefined }, added.body, 0, added.body.length)
  }
  assert.ok(whole?.type === 'media-data')
  assert.equal(toHex(whole.body.multimedia), toHex(multimedia))
})

test('messages are composed from JSON, and what is wrong is named', () => {
  const draft = draftOf(0x8601, { ids: [1, 2] }, '2013')
  assert.ok(draft !== undefined && !('faults' in draft))
  assert.equal(toHex(parser.writeBody(draft, '2013')), '020000000100000002')
  assert.deepEqual(draftOf(0x8601, {}, '2013'), { faults: ['args.ids: must be a list'] })
  assert.equal(draftOf(0xf001, {}, '2013'), undefined)
  const report = { alarm: 0, status: 3, latitude: 1, longitude: 2, altitude: 3, speed: 4, direction: 5, time: '261122130501' }
  const location = draftOf(0x0200, { ...report, extra: { mileage: 10, custome: { 225: '0102' } } }, '2013')
  assert.ok(location !== undefined && !('faults' in location))
  assert.equal(
    toHex(parser.writeBody(location, '2013')),
    '00000000000000030000000100000002000300040005261122130501' + '01040000000a' + 'e1020102',
  )
  assert.deepEqual(draftOf(0x0200, { ...report, extra: { mileage: -1, wheels: 1 } }, '2013'), {
    faults: ['args.extra.mileage: must be a whole number from 0 to 4294967295', 'args.extra.wheels: is no extra'],
  })
})

test('broken frames are values', () => {
  const error = decode(Uint8Array.of(0x7e, 1, 2, 4, 0x7e))
  assert.ok(isMalformed(error))
  assert.equal(error.malformed, 'bad-check-code')
})

test('tables are at hand', () => {
  assert.equal(parser.parameterNamed('report_interval_s')?.id, 0x29)
  assert.deepEqual(parser.alarmNames(3), ['emergency', 'overspeed'])
  assert.deepEqual(parser.readExtras(Uint8Array.of(0x30, 1, 28)), { rssi: 28 })
  assert.equal(parser.utcOf('261122160000'), '2026-11-22T08:00:00Z')
  assert.equal(parser.typeOf(0x8300), 'text-message')
})
