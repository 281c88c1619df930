/** Frames over streams and WebSockets: RFC 8323 3.2, 4.2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed, type Malformed } from '#sdk'
import { CON, POST } from '#stacks/coap/codes'
import { parse, serialize } from '#stacks/coap/message'
import { datagramOf, frameOf, StreamFramer } from '#stacks/coap/stream-frame'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** What a framer makes of these chunks. */
function cut(chunks: readonly Uint8Array[], maxBytes = 1_000_000) {
  const framer = new StreamFramer(maxBytes)
  const frames: string[] = []
  const faults: Malformed[] = []
  for (const chunk of chunks) {
    framer.push(chunk, {
      frame: (bytes) => {
        frames.push(hex(bytes))
        return undefined
      },
      malformed: (fault) => faults.push(fault),
    })
  }
  return { frames, faults, buffered: framer.buffered }
}

test('the frame of RFC 8323 is made of the datagram and back', () => {
  // GET with token 0x01 and Uri-Path "test": five octets of options.
  const datagram = unhex('41 01 12 34 01 b4 74 65 73 74')
  assert.equal(hex(frameOf(datagram, false)), '510101b474657374')
  assert.equal(hex(frameOf(datagram, true)), '010101b474657374')
  const back = datagramOf(frameOf(datagram, false), false)
  assert.ok(!isMalformed(back))
  assert.equal(hex(back), '4101000001b474657374')
})

// RFC 8323 3.2: the forms of the length, at their boundaries; a payload has one octet of marker before it.
for (const [length, first, extension] of [
  [0, 0x02, ''],
  [12, 0xc2, ''],
  [13, 0xd2, '00'],
  [268, 0xd2, 'ff'],
  [269, 0xe2, '0000'],
  [65_804, 0xe2, 'ffff'],
  [65_805, 0xf2, '00000000'],
  [70_000, 0xf2, '00001063'],
] as const) {
  test(`a frame of ${length} octets of options and payload`, () => {
    const payload = new Uint8Array(Math.max(0, length - 1)).fill(7)
    for (const delimited of [false, true]) {
      const frame = frameOf(serialize(CON, POST, 99, 'tk', [], payload), delimited)
      assert.equal(
        hex(frame.subarray(0, delimited ? 1 : 1 + extension.length / 2)),
        delimited ? '02' : first.toString(16).padStart(2, '0') + extension,
      )
      if (!delimited) assert.deepEqual(cut([frame.slice()]).frames, [hex(frame)])
      const datagram = datagramOf(frame, delimited)
      assert.ok(!isMalformed(datagram))
      const message = parse(datagram)
      assert.ok(!isMalformed(message))
      assert.deepEqual([message.code, message.token, message.payload.length], [POST, 'tk', payload.length])
    }
  })
}

test('frames are found wherever the stream is cut', () => {
  const frames = [0, 5, 13, 300].map((size) => frameOf(serialize(CON, POST, 0, 'abc', [], new Uint8Array(size).fill(1)), false))
  const stream = Buffer.concat(frames)
  const expected = frames.map(hex)
  assert.deepEqual(cut([stream]).frames, expected)
  assert.deepEqual(cut(Array.from(stream, (octet) => Uint8Array.of(octet))).frames, expected)
  for (let at = 1; at < stream.length; at++) {
    const { frames: found, buffered } = cut([stream.subarray(0, at), stream.subarray(at)])
    assert.deepEqual([found, buffered], [expected, 0])
  }
})

test('a frame that is too large is refused by its header, before anything is kept', () => {
  const { frames, faults, buffered } = cut([unhex('f1 7fffffff 02 00'), unhex('ff')], 1000)
  assert.deepEqual(frames, [])
  assert.deepEqual(faults[0], { malformed: 'frame-too-large', offset: 0, fatal: true })
  assert.ok(buffered <= 1)
})

test('reserved token lengths are fatal', () => {
  for (const nibble of [9, 12, 15]) {
    assert.deepEqual(cut([Uint8Array.of(nibble, 1)]).faults, [{ malformed: 'token-length', offset: 0, fatal: true }])
  }
})

test('a sink that stops gets the rest with the next push', () => {
  const framer = new StreamFramer(1000)
  const frames: string[] = []
  const sink = (more: boolean) => ({
    frame: (bytes: Uint8Array) => {
      frames.push(hex(bytes))
      return more
    },
    malformed: () => assert.fail('nothing is malformed'),
  })
  framer.push(unhex('0001 0002 0003'), sink(false))
  assert.deepEqual([frames, framer.buffered], [['0001'], 4])
  framer.push(new Uint8Array(0), sink(true))
  assert.deepEqual([frames, framer.buffered], [['0001', '0002', '0003'], 0])
})

test('in a WebSocket message a length, or less than two octets, is malformed', () => {
  for (const [bytes, reason] of [
    ['51 01 01 b4 74 65 73 74', 'length-in-message'],
    ['00', 'too-short'],
    ['', 'too-short'],
  ] as const) {
    const fault = datagramOf(unhex(bytes), true)
    assert.ok(isMalformed(fault))
    assert.equal(fault.malformed, reason)
  }
})
