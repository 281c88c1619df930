/** The framer of the hot path: what waits for the rest of its packet is a copy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MqttFramer } from '../codec/framer.ts'

test('the beginning of a packet is copied: the chunk that it came in is not kept', () => {
  const framer = new MqttFramer(1000)
  const frames: string[] = []
  const sink = {
    frame: (frame: Uint8Array) => frames.push(Buffer.from(frame).toString('latin1')) > 0,
    malformed: () => assert.fail('malformed'),
  }
  const packet = '\x30\x06\x00\x01abcd'
  for (const at of [1, 2, 5]) {
    for (const piece of [packet.slice(0, at), packet.slice(at, 6)]) {
      const chunk = Buffer.from(piece, 'latin1')
      framer.push(chunk, sink)
      chunk.fill(0)
    }
    assert.equal(framer.buffered, 6)
    framer.push(Buffer.from(packet.slice(6) + packet, 'latin1'), sink)
    assert.equal(framer.buffered, 0)
  }
  assert.deepEqual(frames, Array(6).fill(packet))
})
