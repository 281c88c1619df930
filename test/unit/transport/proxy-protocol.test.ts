/** The PROXY protocol header, pure: versions 1 and 2, whole and split at every byte. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isMalformed } from '../../../src/sdk.ts'
import { type ProxyHeader, ProxyHeaderParser } from '../../../src/transport/proxy-protocol.ts'
import { crc32c } from './crc32c.ts'
import { proxyV2, tlv } from './proxy-headers.ts'

const REST = Buffer.from('the device speaks')

/** Parses `bytes` in chunks that end at `cuts`; the header, and what is left of the last chunk that was pushed. */
function parse(bytes: Uint8Array, ...cuts: number[]) {
  const parser = new ProxyHeaderParser()
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    const chunk = bytes.subarray(from, to)
    const outcome = parser.push(chunk)
    if (outcome !== undefined) return { outcome, consumed: from + parser.consumed }
    assert.equal(parser.consumed, chunk.length)
    from = to
  }
  return { outcome: undefined, consumed: from }
}

const cases: { name: string; header: Buffer; expected: ProxyHeader }[] = [
  {
    name: 'v1 TCP4',
    header: Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\r\n'),
    expected: { source: { address: '192.0.2.1', port: 56324 }, secure: false },
  },
  {
    name: 'v1 TCP6, the longest that is not UNKNOWN',
    header: Buffer.from(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    expected: { source: { address: `${'ffff:'.repeat(7)}ffff`, port: 65535 }, secure: false },
  },
  { name: 'v1 UNKNOWN', header: Buffer.from('PROXY UNKNOWN\r\n'), expected: { secure: false } },
  {
    name: 'v1 UNKNOWN with 107 bytes',
    header: Buffer.from(`PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    expected: { secure: false },
  },
  {
    name: 'v2 TCP over IPv4',
    header: proxyV2({ address: [192, 0, 2, 1], port: 4660 }),
    expected: { source: { address: '192.0.2.1', port: 4660 }, secure: false },
  },
  {
    name: 'v2 TCP over IPv6, written as RFC 5952 says',
    header: proxyV2({ family: 0x21, address: [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1], port: 1 }),
    expected: { source: { address: '2001:db8::1', port: 1 }, secure: false },
  },
  { name: 'v2 LOCAL', header: proxyV2({ command: 0x20, family: 0, address: [] }), expected: { secure: false } },
  {
    name: 'v2 LOCAL whose content is to be ignored',
    header: proxyV2({ command: 0x20, address: [1, 2, 3, 4], port: 5, values: Buffer.from([0xff, 0xff]) }),
    expected: { secure: false },
  },
  { name: 'v2 unspecified family', header: proxyV2({ family: 0, address: [] }), expected: { secure: false } },
  { name: 'v2 UNIX', header: proxyV2({ family: 0x31, address: Array(216).fill(65) }), expected: { secure: false } },
  {
    name: 'v2 with values that mean nothing here',
    header: proxyV2({
      address: [10, 0, 0, 1],
      port: 9,
      values: Buffer.concat([tlv(1, Buffer.from('h2')), tlv(0xea, Buffer.alloc(300))]),
    }),
    expected: { source: { address: '10.0.0.1', port: 9 }, secure: false },
  },
  {
    name: 'v2 with a verified client certificate',
    header: proxyV2({
      address: [10, 0, 0, 1],
      port: 9,
      values: tlv(
        0x20,
        Buffer.concat([Buffer.from([0x07, 0, 0, 0, 0]), tlv(0x21, Buffer.from('TLSv1.3')), tlv(0x22, Buffer.from('meter-7'))]),
      ),
    }),
    expected: { source: { address: '10.0.0.1', port: 9 }, secure: true, identity: 'meter-7' },
  },
  {
    name: 'v2 with a client certificate that was not verified',
    header: proxyV2({
      address: [10, 0, 0, 1],
      port: 9,
      values: tlv(0x20, Buffer.concat([Buffer.from([0x07, 0, 0, 0, 1]), tlv(0x22, Buffer.from('meter-7'))])),
    }),
    expected: { source: { address: '10.0.0.1', port: 9 }, secure: true },
  },
  {
    name: 'v2 with a TLS value that claims a name but no certificate',
    header: proxyV2({
      address: [10, 0, 0, 1],
      port: 9,
      values: tlv(0x20, Buffer.concat([Buffer.from([0x01, 0, 0, 0, 0]), tlv(0x22, Buffer.from('meter-7'))])),
    }),
    expected: { source: { address: '10.0.0.1', port: 9 }, secure: true },
  },
  {
    name: 'v2 with its checksum',
    header: proxyV2({ address: [10, 0, 0, 1], port: 9, checksum: true }),
    expected: { source: { address: '10.0.0.1', port: 9 }, secure: false },
  },
]

describe('PROXY protocol header', () => {
  for (const { name, header, expected } of cases) {
    it(`reads ${name}, split anywhere`, () => {
      const bytes = Buffer.concat([header, REST])
      for (let cut = 0; cut <= header.length; cut++) {
        const { outcome, consumed } = parse(bytes, cut)
        assert.deepEqual(outcome, expected, `cut at ${cut}`)
        assert.equal(consumed, header.length, `cut at ${cut}`)
      }
      const each = parse(header, ...Array.from(header.keys()))
      assert.deepEqual(each.outcome, expected)
      assert.equal(each.consumed, header.length)
    })
  }

  it('reads a v2 header as long as the limit, and refuses a longer one', () => {
    const fits = proxyV2({ address: [1, 2, 3, 4], port: 5, values: tlv(4, Buffer.alloc(16_384 - 12 - 3)) })
    assert.deepEqual(parse(fits).outcome, { source: { address: '1.2.3.4', port: 5 }, secure: false })
    const longer = proxyV2({ address: [1, 2, 3, 4], port: 5, values: tlv(4, Buffer.alloc(16_384 - 12 - 2)) })
    assert.deepEqual(parse(longer).outcome, { malformed: 'proxy-too-long', offset: 15, fatal: true })
  })

  const broken: [string, Buffer | string, string][] = [
    ['something else', 'GET / HTTP/1.1\r\n', 'proxy-signature'],
    ['a word that begins alike', 'PROXIES', 'proxy-signature'],
    ['a broken v2 signature', Buffer.from('0d0a0d0a000d0a515549540b', 'hex'), 'proxy-signature'],
    ['LF without CR', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n', 'proxy-line'],
    ['an unknown family', 'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n', 'proxy-line'],
    ['lower case', 'PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n', 'proxy-line'],
    ['a field too many', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n', 'proxy-line'],
    ['a missing port', 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', 'proxy-port'],
    ['a port that is too high', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n', 'proxy-port'],
    ['a port with a leading zero', 'PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n', 'proxy-port'],
    ['an address with a leading zero', 'PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n', 'proxy-address'],
    ['a name for an address', 'PROXY TCP4 localhost 1.2.3.4 1 1\r\n', 'proxy-address'],
    ['IPv6 called TCP4', 'PROXY TCP4 ::1 ::1 1 1\r\n', 'proxy-address'],
    ['a line of 108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'proxy-too-long'],
    ['an unknown version', proxyV2({ command: 0x11, address: [1, 2, 3, 4], port: 1 }), 'proxy-command'],
    ['an unknown command', proxyV2({ command: 0x22, address: [1, 2, 3, 4], port: 1 }), 'proxy-command'],
    ['an unknown address family', proxyV2({ family: 0x41, address: [1, 2, 3, 4], port: 1 }), 'proxy-family'],
    ['an unknown transport', proxyV2({ family: 0x13, address: [1, 2, 3, 4], port: 1 }), 'proxy-family'],
    ['an address block that is too short', proxyV2({ family: 0x21, address: [1, 2, 3, 4], port: 1 }), 'proxy-address'],
    ['half a value', proxyV2({ address: [1, 2, 3, 4], port: 1, values: Buffer.from([1, 0]) }), 'proxy-value'],
    [
      'a value that leaves the header',
      proxyV2({ address: [1, 2, 3, 4], port: 1, values: Buffer.from([1, 0, 9, 1]) }),
      'proxy-value',
    ],
    [
      'a TLS value that is too short',
      proxyV2({ address: [1, 2, 3, 4], port: 1, values: tlv(0x20, Buffer.alloc(4)) }),
      'proxy-value',
    ],
    [
      'a checksum that is too short',
      proxyV2({ address: [1, 2, 3, 4], port: 1, values: tlv(3, Buffer.alloc(3)) }),
      'proxy-checksum',
    ],
    ['a wrong checksum', proxyV2({ address: [1, 2, 3, 4], port: 1, values: tlv(3, Buffer.alloc(4)) }), 'proxy-checksum'],
  ]
  for (const [name, bytes, reason] of broken) {
    it(`refuses ${name}`, () => {
      const { outcome } = parse(Buffer.from(bytes as string, 'latin1'))
      assert.ok(isMalformed(outcome), `${JSON.stringify(outcome)}`)
      assert.equal(outcome.malformed, reason)
      assert.equal(outcome.fatal, true)
    })
  }

  it('is checked against a CRC-32C that gives the check value of the polynomial', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  })

  it('waits for the rest of an incomplete header', () => {
    for (const { header } of cases) {
      for (let length = 0; length < header.length; length++) {
        assert.equal(parse(header.subarray(0, length)).outcome, undefined)
      }
    }
  })

  it('answers every input with a header, a reason or a wish for more, and never throws', () => {
    const seeded = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.constantFrom(...cases), fc.nat(300), fc.integer({ min: 0, max: 255 })).map(([{ header }, at, byte]) => {
        const copy = Buffer.from(header)
        copy[at % copy.length] = byte
        return copy
      }),
    )
    fc.assert(
      fc.property(seeded, fc.nat(200), (bytes, cut) => {
        const whole = parse(bytes)
        const split = parse(bytes, Math.min(cut, bytes.length))
        assert.deepEqual(split, whole)
        assert.ok(whole.consumed <= bytes.length)
      }),
      { numRuns: 2000 },
    )
  })
})
