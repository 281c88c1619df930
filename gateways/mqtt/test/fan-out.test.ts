/** Many messages in one chunk, each for many: handed out in slices, in order, while others are served. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Packet } from 'mqtt-packet'
import { generate } from 'mqtt-packet'
import { fixture, type MqttPeer } from './peer.ts'

const packet = (topic: string, payload: string, qos: 0 | 1 | 2, messageId: number): Packet =>
  ({ cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId }) as Packet

const payloads = (peer: MqttPeer): string[] =>
  peer.take().flatMap((received) => (received.cmd === 'publish' ? [String(received.payload)] : []))

test('slices of a fan-out keep the order of each publisher, lose nothing and double nothing', async () => {
  const publish = fc.record({ publisher: fc.nat(1), qos: fc.constantFrom(0 as const, 1 as const, 2 as const) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(publish, { minLength: 1, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      async (publishes, cuts, copiesPerTurn) => {
        const { client } = await fixture({}, {}, { copiesPerTurn })
        const subscribers = ['s1', 's2', 's3'].map((id) => client(id))
        for (const peer of subscribers) {
          peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/#', qos: 0 }] })
          peer.take()
        }
        const publishers = [client('p0'), client('p1')]
        const sent: string[][] = [[], []]
        const streams = publishers.map(() => [] as Buffer[])
        for (const [index, { publisher, qos }] of publishes.entries()) {
          sent[publisher]?.push(`${publisher}:${index}`)
          streams[publisher]?.push(generate(packet(`t/${publisher}`, `${publisher}:${index}`, qos, index + 1)))
        }
        const rest: Buffer[] = streams.map((frames) => Buffer.concat(frames))
        // Cut without regard for packets, and by turns.
        for (let turn = 0; rest.some(({ length }) => length > 0); turn++) {
          const size = cuts[turn % cuts.length] as number
          for (const [index, peer] of publishers.entries()) {
            const chunk = rest[index] as Buffer
            if (chunk.length > 0) peer.raw([...chunk.subarray(0, size)])
            rest[index] = chunk.subarray(size)
          }
        }
        for (const peer of subscribers) {
          const received = payloads(peer)
          for (const [index, expected] of sent.entries()) {
            assert.deepEqual(
              received.filter((payload) => payload.startsWith(`${index}:`)),
              expected,
            )
          }
          assert.equal(received.length, publishes.length)
        }
        for (const [index, peer] of publishers.entries()) {
          const answered = peer.take().map(({ cmd }) => cmd)
          const wanted = publishes
            .filter(({ publisher }) => publisher === index)
            .flatMap(({ qos }) => [[], ['puback'], ['pubrec']][qos] ?? [])
          assert.deepEqual(answered, wanted, 'acknowledged in order')
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('a publisher whose chunk is not through yet may be closed, and what was not handed out is not', async () => {
  const { client, world } = await fixture({}, {}, { copiesPerTurn: 1 })
  const subscriber = client('s')
  subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] })
  subscriber.take()
  const publisher = client('p')
  const frames = [1, 2, 3].map((index) => generate(packet('t', String(index), 0, 0)))
  publisher.peer.wire.receive(Buffer.concat(frames))
  world.core.kick('p')
  assert.deepEqual(payloads(subscriber), ['1'])
  assert.equal(world.faults(), 0)
})

test('another client is answered between two slices', async () => {
  const { client } = await fixture({}, {}, { copiesPerTurn: 1 })
  const [subscriber, other, publisher] = [client('s'), client('o'), client('p')]
  subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] })
  subscriber.take()
  const frames = [1, 2, 3].map((index) => generate(packet('t', String(index), 0, 0)))
  publisher.peer.wire.receive(Buffer.concat(frames))
  other.peer.wire.receive(generate({ cmd: 'pingreq' }))
  assert.equal(other.peer.wire.take().length, 1)
  assert.equal(subscriber.peer.wire.take().length, 1, 'the rest of the chunk waits for its turn')
  assert.deepEqual(payloads(subscriber), ['2', '3'])
})
