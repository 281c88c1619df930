/** What the generator sends it can also count, however the stream is cut; what should not come ends the run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parser } from 'mqtt-packet'
import { AckCounter } from './ack-counter.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameRing, MAX_BURST } from './frame-ring.ts'
import type { LoadQos } from './job.ts'
import { StampReader } from './stamp.ts'

const TOPIC = 'dev/10/up'

function readerOf(qos: LoadQos, samples: number[] = []): FrameReader {
  return new FrameReader(TOPIC, qos, new StampReader(2, (sentAtMs) => samples.push(sentAtMs)))
}

/** Bursts of every size, more than once around a QoS 1 ring. */
function bursts(qos: LoadQos, count: number): { stream: Buffer; messages: number } {
  const ring = new FrameRing(1, TOPIC, qos)
  const chunks: Buffer[] = []
  let messages = 0
  for (let i = 0; i < count; i++) {
    const size = (i % MAX_BURST) + 1
    chunks.push(Buffer.from(ring.take(size, i)))
    messages += size
  }
  return { stream: Buffer.concat(chunks), messages }
}

for (const qos of [0, 1] as const) {
  test(`QoS ${qos}: every frame is counted once, whatever the chunks`, () => {
    const { stream, messages } = bursts(qos, 200)
    for (const size of [1, 7, 76, 77, 78, 1000, stream.length]) {
      const samples: number[] = []
      const reader = readerOf(qos, samples)
      for (let at = 0; at < stream.length; at += size) {
        const chunk = stream.subarray(at, at + size)
        reader.read(chunk, chunk.length)
      }
      assert.equal(reader.frames, messages)
      assert.deepEqual(
        samples,
        Array.from({ length: 200 }, (_, i) => i),
      )
    }
  })

  test(`QoS ${qos}: another codec reads the frames as 64-byte messages of the topic`, () => {
    const { stream, messages } = bursts(qos, 40)
    let parsed = 0
    const other = parser({ protocolVersion: 4 })
    other.on('packet', (packet) => {
      assert.equal(packet.cmd, 'publish')
      if (packet.cmd !== 'publish') return
      assert.equal(packet.topic, TOPIC)
      assert.equal(packet.qos, qos)
      assert.equal(packet.payload.length, 64)
      parsed++
    })
    other.parse(stream)
    assert.equal(parsed, messages)
  })
}

test('QoS 1: consecutive identifiers, each acknowledged once and in order', () => {
  const { stream, messages } = bursts(1, 100)
  const reader = readerOf(1)
  reader.read(stream, stream.length)
  const acks = reader.takeAcks()
  assert.equal(acks?.length, messages * 4)
  for (let i = 0; i < messages; i++) assert.equal(acks?.readUInt32BE(i * 4), 0x40020000 + ((i % 1024) + 1))
  assert.equal(reader.takeAcks(), undefined)

  const counter = new AckCounter()
  for (let at = 0; at < messages * 4; at += 3)
    counter.read(acks?.subarray(at, at + 3) ?? Buffer.alloc(0), Math.min(3, messages * 4 - at))
  assert.equal(counter.acks, messages)
})

test('a missing burst, a repeated one and a duplicate flag are errors', () => {
  const ring = new FrameRing(0, TOPIC, 1)
  const first = Buffer.from(ring.take(2, 0))
  const second = Buffer.from(ring.take(2, 0))
  const third = Buffer.from(ring.take(2, 0))
  const missing = readerOf(1)
  missing.read(first, first.length)
  assert.throws(() => missing.read(third, third.length), /publisher 0 burst 3 where 2 was due/)
  const repeated = readerOf(1)
  repeated.read(first, first.length)
  assert.throws(() => repeated.read(first, first.length), /lost or out of order/)
  const duplicate = readerOf(1)
  second[0] = 0x3a
  assert.throws(() => duplicate.read(second, second.length), /received 3a/)
})

test('a publisher that receives anything but a PUBACK is an error', () => {
  const counter = new AckCounter()
  counter.read(Buffer.from([0x40, 2, 0]), 3)
  assert.equal(counter.acks, 0)
  assert.throws(() => counter.read(Buffer.from([1, 0x30, 2]), 3), /received 0x30/)
})
