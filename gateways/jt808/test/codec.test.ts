/** Messages there and back, and octets that are none. The packets themselves are in specs/jt808/vectors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '#bytes/hex'
import { isMalformed } from '#sdk'
import type { Register } from '../codec/bodies/register.ts'
import { decode, encode, type Header, KNOWN_IDS, type Message, nativeOf, wire } from '../codec/index.ts'
import { envelope } from '../topics.ts'

const base: Header = {
  id: 0x0002,
  length: 0,
  form: '2013',
  protocol: 0,
  phone: '013812345678',
  sn: 1,
  encryption: 0,
  reserved: 0,
  part: undefined,
}

const digits = (count: number) =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: count, maxLength: count }).map((array) => array.join(''))

const header: fc.Arbitrary<Header> = fc
  .record({
    id: fc.constantFrom(0x0f00, 0x0205, 0x0fff, 0xe000),
    form: fc.constantFrom('2013' as const, '2019' as const),
    protocol: fc.nat(255),
    phone20: digits(20),
    sn: fc.nat(65_535),
    encryption: fc.nat(7),
    reserved: fc.nat(1),
    part: fc.option(fc.record({ total: fc.nat(65_535), sn: fc.nat(65_535) }, { noNullPrototype: true }), { nil: undefined }),
  })
  .map(({ phone20, ...rest }) => ({
    ...rest,
    length: 0,
    protocol: rest.form === '2019' ? rest.protocol : 0,
    phone: rest.form === '2019' ? phone20 : phone20.slice(0, 12),
  }))

test('property: every header and body comes back as it was, whatever needs escaping', () => {
  const octet = fc.oneof(fc.constantFrom(0x7d, 0x7e, 0x01, 0x02), fc.nat(255))
  fc.assert(
    fc.property(header, fc.array(octet, { maxLength: 1023 }), (given, octets) => {
      const body = Uint8Array.from(octets)
      const frame = encode({ type: 'opaque', why: 'unknown', header: given, body })
      const message = decode(frame)
      assert.ok(!isMalformed(message))
      assert.deepEqual(message.header, { ...given, length: body.length })
      assert.equal(toHex(message.body as Uint8Array), toHex(body))
      assert.deepEqual(encode(message), frame)
      assert.equal(frame.indexOf(0x7e, 1), frame.length - 1)
    }),
  )
})

test('property: what decodes encodes again to the same octets; the rest is a value with a reason', () => {
  const id = fc.constantFrom(...KNOWN_IDS)
  fc.assert(
    fc.property(id, header, fc.uint8Array({ maxLength: 120 }), (messageId, given, body) => {
      const frame = encode({ type: 'opaque', why: 'unknown', header: { ...given, id: messageId }, body })
      const message = decode(frame)
      assert.ok(!isMalformed(message))
      assert.deepEqual(encode(message), frame)
      assert.doesNotThrow(() => JSON.stringify(nativeOf(message)))
    }),
  )
})

test('property: no octets make the codec throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
      const result = wire.codec.decode(octets)
      if (isMalformed(result)) assert.match(result.malformed, /^[a-z-]+$/)
      else assert.deepEqual(wire.codec.encode(result), octets)
    }),
  )
})

test('property: one flipped bit never passes for the same message', () => {
  const frame = encode({ type: 'heartbeat', body: { extra_raw: undefined }, header: base })
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.nat(7), (at, bit) => {
      const broken = frame.slice()
      broken[at] = (broken[at] as number) ^ (1 << bit)
      assert.ok(isMalformed(decode(broken)))
    }),
  )
})

test('a body of more than 1023 octets is the caller’s fault', () => {
  assert.throws(() => encode({ type: 'opaque', why: 'unknown', header: base, body: new Uint8Array(1024) }), RangeError)
})

test('later protocol versions have the header of 2019', () => {
  const given: Header = { ...base, form: '2019', protocol: 7, phone: '00000000013812345678' }
  const message = decode(encode({ type: 'heartbeat', body: { extra_raw: undefined }, header: given }))
  assert.ok(!isMalformed(message))
  assert.equal(message.type, 'heartbeat')
  assert.equal(message.header.protocol, 7)
})

test('what is appended to a fixed body is kept', () => {
  const body = Uint8Array.of(0, 4, 0x83, 0, 0, 0xca, 0xfe)
  const message = decode(encode({ type: 'opaque', why: 'unknown', header: { ...base, id: 0x0001 }, body }))
  assert.ok(!isMalformed(message))
  assert.deepEqual(message.body, { seq: 4, id: 0x8300, result: 0, extra_raw: 'cafe' })
})

// ---- registration: 2011 or 2013 -----------------------------------------------------------------------------------

function registered(body: Partial<Register>): Register {
  const vehicle = {
    province: 44,
    city: 300,
    manufacturer: '70111',
    model: 'MODEL-A',
    dev_id: 'ID00001',
    color: 1,
    license_number: '粤B12345',
  }
  const draft: Register = { ...vehicle, edition: '2013', ...body }
  const message = decode(encode({ type: 'register', body: draft, header: { ...base, id: 0x0100 } }))
  assert.ok(!isMalformed(message) && message.type === 'register')
  return message.body
}

test('a registration tells its edition', () => {
  for (const edition of ['2011', '2013'] as const) {
    for (const license_number of ['', '粤B12345', 'LFV2A21K8A3123456']) {
      for (const color of [0, 1, 2, 3, 4, 9]) {
        const body = registered({ edition, license_number, color })
        assert.equal(body.edition, edition, `${edition}, plate '${license_number}', colour ${color}`)
        assert.equal(body.license_number, license_number)
      }
    }
  }
})

test('colours of later editions do not make a 2013 registration one of 2011', () => {
  for (const color of [5, 93, 94]) assert.equal(registered({ color }).edition, '2013')
})

test('text is shown without padding and without broken characters', () => {
  const message: Message = {
    type: 'register',
    header: { ...base, id: 0x0100 },
    body: {
      province: 0,
      city: 0,
      manufacturer: '\0\0AB',
      model: 'M  ',
      dev_id: '',
      color: 1,
      license_number: 'A\udcffB\0',
      edition: '2013',
    },
  }
  const { body } = nativeOf(message) as { body: Register }
  assert.deepEqual([body.manufacturer, body.model, body.license_number], ['AB', 'M', 'A\ufffdB'])
})

test('an authentication code is never published', () => {
  const message: Message = { type: 'authenticate', header: { ...base, id: 0x0102 }, body: { code: 'SECRET', details: undefined } }
  const origin = { device: '1', gateway: 'trucks', ts: 0, native: true }
  assert.doesNotMatch(Buffer.from(envelope(origin, 'authenticated', {}, message)).toString(), /SECRET/)
  assert.deepEqual(nativeOf(message)['body'], { code: 'SECRET' }, 'the parser alone keeps it')
})
