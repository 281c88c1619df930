/** Whatever arrives: no exception, no malformed answer, no answer longer than its turn. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMalformed } from '#sdk'
import { ACK, CON, DELETE, FETCH, GET, type MessageType, NON, POST, PUT, RST } from '#stacks/coap/codes'
import { parse, serialize, serializeEmpty } from '#stacks/coap/message'
import { OPTIONS, type Option } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { uriOptions } from './device.ts'

const uri = fc.constantFrom(
  '/ps/a',
  '/ps/a?clientid=d1',
  '/ps/a?c=d2&q=1&r=true',
  '/ps/+/b?c=d1',
  '/ps/$share/g/a?c=d2',
  '/up/telemetry?c=d1',
  '/up/event?c=d2',
  '/up/data?c=d1',
  '/mqtt/connection?c=d3',
  '/.well-known/core',
  '/ps/%',
  '/',
)

const option: fc.Arbitrary<Option> = fc.oneof(
  fc.record({ number: fc.constantFrom(...OPTIONS.map(({ number }) => number)), value: fc.uint8Array({ maxLength: 5 }) }),
  fc.record({ number: fc.nat(300), value: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ number: fc.constantFrom(6, 23, 27), value: fc.uint8Array({ maxLength: 2 }) }),
)

const request = fc
  .record({
    type: fc.constantFrom<MessageType>(CON, NON),
    code: fc.constantFrom(GET, POST, PUT, DELETE, FETCH),
    messageId: fc.nat(40),
    token: fc.constantFrom('', 'a', 'bb'),
    uri,
    options: fc.array(option, { maxLength: 3 }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('{"t":1}', '7', '{', '{"v":1,"type":"x","data":{}}').map((text) => new TextEncoder().encode(text)),
    ),
  })
  .map((parts) =>
    serialize(parts.type, parts.code, parts.messageId, parts.token, [...uriOptions(parts.uri), ...parts.options], parts.payload),
  )

const reply = fc
  .tuple(fc.constantFrom(0x40, 0x60, 0x70), fc.nat(0xffff))
  .map(([first, id]) => Uint8Array.of(first, 0, id >> 8, id))

const mutated = fc
  .tuple(request, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
  .map(([bytes, changes, length]) => {
    const copy = bytes.slice(0, Math.max(1, length))
    for (const [at, value] of changes) if (at < copy.length) copy[at] = value
    return copy
  })

const step = fc.oneof(
  { weight: 6, arbitrary: request.map((bytes) => ({ kind: 'send' as const, bytes })) },
  { weight: 2, arbitrary: mutated.map((bytes) => ({ kind: 'send' as const, bytes })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => ({ kind: 'send' as const, bytes })) },
  { weight: 2, arbitrary: reply.map((bytes) => ({ kind: 'send' as const, bytes })) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1).map((qos) => ({ kind: 'publish' as const, qos: qos as 0 | 1 })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 200_000 }).map((ms) => ({ kind: 'wait' as const, ms })) },
  { weight: 2, arbitrary: fc.constantFrom(ACK, RST).map((type) => ({ kind: 'answer' as const, type })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kick' as const }) },
)

test('no sequence of datagrams, deliveries and waits throws, and everything sent is well-formed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), step), { maxLength: 60 }), async (steps) => {
      const world = new World()
      const gateway = await world.gateway(coap, { blockwise: { maxBlockSize: 16 } })
      const app = world.app('app')
      app.publish('a', 'a retained value that needs more than one block', { retain: true })
      const connect = () => gateway.connect({ datagram: true })
      const peers = [connect(), connect(), connect()]
      const confirmables: number[][] = [[], [], []]
      for (const [index, action] of steps) {
        let peer = peers[index] as ReturnType<typeof connect>
        if (peer.closed !== undefined) {
          peer = connect()
          peers[index] = peer
        }
        if (action.kind === 'send') peer.send(action.bytes)
        else if (action.kind === 'publish') app.publish('a', 'x'.repeat(40), { qos: action.qos })
        else if (action.kind === 'wait') world.advance(action.ms)
        else if (action.kind === 'kick') world.core.kick('d1')
        else for (const id of confirmables[index]?.splice(0) ?? []) peer.send(serializeEmpty(action.type, id))
        for (const sent of peer.take()) {
          const message = parse(sent)
          assert.ok(!isMalformed(message))
          if (message.type === CON) confirmables[index]?.push(message.messageId)
        }
        assert.equal(world.faults(), 0)
        assert.deepEqual(world.errors, [])
      }
      await gateway.close()
      assert.equal(world.faults(), 0)
      assert.equal(world.core.client('d1')?.connected ?? false, false)
    }),
    { numRuns: 300 },
  )
})

test('every malformed datagram is counted exactly once', async () => {
  const world = new World()
  const gateway = await world.gateway(coap)
  let expected = 0
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const peer = gateway.connect({ datagram: true })
      peer.send(bytes)
      if (isMalformed(parse(bytes))) expected++
      const counted = [...world.malformed().values()].reduce((sum, count) => sum + count, 0)
      assert.equal(counted, expected)
    }),
  )
})
