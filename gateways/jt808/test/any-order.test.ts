/** However a conversation is cut, shuffled and repeated, and whatever part of it is lost on the way: the same is published, once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AppClient } from '#testing'
import { type Draft, type Message, messageId, writeBody } from '../codec/index.ts'
import { type Scene, scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const OCTETS = Uint8Array.from({ length: 150 }, (_, i) => (i % 5 === 0 ? 0x7e : i % 7 === 0 ? 0x7d : i))

/** What the terminal has to say, and into parts of how many octets it cuts it; undefined is a frame. */
const MESSAGES: readonly (readonly [draft: Draft, partOctets?: number])[] = [
  [{ type: 'location', body: HERE }],
  [{ type: 'waybill', body: { data: OCTETS } }, 40],
  [{ type: 'waybill', body: { data: OCTETS.subarray(1) } }, 40],
  [{ type: 'media-data', body: { id: 77, type: 0, format: 0, event: 0, channel: 1, location: HERE, multimedia: OCTETS } }, 50],
  [{ type: 'location-batch', body: { type: 1, location: [HERE, { ...HERE, speed: 0 }, { ...HERE, alarm: 1 }] } }, 33],
  [{ type: 'parameters-reply', body: { seq: 9, params: [{ id: 0x83, value: '沪B前方拥堵' }] } }, 7],
]

const TRANSPORTS = { tcp: {}, udp: { datagram: true, address: '10.0.0.7', port: 5000 } } as const
const PHONES = ['013812345678', '00000000013812345678'] as const

interface Way {
  readonly transport: keyof typeof TRANSPORTS
  readonly phone: (typeof PHONES)[number]
  /** Ranks of the frames: they are sent in this order. */
  readonly order: readonly number[]
  readonly repeated: readonly number[]
  /** A part that does not come until it is asked for. */
  readonly lost: number
  /** Where the stream is cut. */
  readonly cuts: readonly number[]
}

interface Said {
  readonly frame: Uint8Array
  readonly isPart: boolean
}

function framesOf(terminal: Terminal): Said[] {
  return MESSAGES.flatMap(([draft, partOctets]): Said[] => {
    if (partOctets === undefined) return [{ frame: terminal.frame(draft), isPart: false }]
    const body = writeBody(draft, terminal.form)
    const total = Math.ceil(body.length / partOctets)
    return Array.from({ length: total }, (_, i) => {
      const part = body.subarray(i * partOctets, (i + 1) * partOctets)
      return { frame: terminal.raw(messageId(draft), part, { part: { total, sn: i + 1 } }), isPart: true }
    })
  })
}

/** What an application sees, without what tells the frames apart: sorted, since the order of completion is that of the last parts. */
function published(app: AppClient): string[] {
  return app
    .take()
    .map((received) => received.json() as { type: string; data: object })
    .map(({ type, data }) => JSON.stringify([type, data]))
    .sort()
}

/** The frames that the platform asks for again, of those that the terminal kept. */
function askedFor(messages: readonly Message[], kept: readonly Uint8Array[], terminal: Terminal): Uint8Array[] {
  const numbers = new Set<number>()
  for (const message of messages) {
    if (message.type === 'platform-resend') for (const id of message.body.ids) numbers.add(message.body.seq + id - 1)
    if (message.type === 'media-response')
      for (const id of message.body.retx_ids ?? []) numbers.add(firstOfMedia(terminal) + id - 1)
  }
  return [...numbers].map((sn) => kept[sn - FIRST_SN] as Uint8Array)
}

/** The authentication was frame 0. */
const FIRST_SN = 1

function firstOfMedia(terminal: Terminal): number {
  const before = MESSAGES.slice(0, 3).map(([draft, octets]) =>
    octets === undefined ? 1 : Math.ceil(writeBody(draft, terminal.form).length / octets),
  )
  return FIRST_SN + before.reduce((sum, count) => sum + count, 0)
}

function send(terminal: Terminal, way: Way, frames: readonly Uint8Array[]): void {
  if (way.transport === 'udp') {
    terminal.send(...frames)
    return
  }
  const stream = Uint8Array.from(Buffer.concat(frames))
  const cuts = [...new Set(way.cuts.map((cut) => cut % stream.length))].sort((a, b) => a - b)
  for (const [at, cut] of [...cuts, stream.length].entries()) terminal.send(stream.subarray(cuts[at - 1] ?? 0, cut))
}

async function talk(way: Way): Promise<{ readonly seen: string[]; readonly place: Scene }> {
  const place = await scene({ parts: { maxAssemblies: MESSAGES.length } })
  const { world, gateway, app } = place
  const terminal = Terminal.online(gateway, way.phone, TRANSPORTS[way.transport])
  app.take()
  const frames = framesOf(terminal)
  const kept = frames.map(({ frame }) => frame)
  const parts = frames.flatMap(({ isPart }, at) => (isPart ? [at] : []))
  const lost = way.lost < 0 ? undefined : parts[way.lost % parts.length]
  const order = frames.map((_, at) => at).sort((a, b) => (way.order[a] ?? a) - (way.order[b] ?? b) || a - b)
  const sent = [...order, ...way.repeated.map((at) => at % frames.length)].filter((at) => at !== lost)
  send(
    terminal,
    way,
    sent.map((at) => kept[at] as Uint8Array),
  )
  let answers = terminal.read()
  for (let round = 0; round < 3; round++) {
    world.advance(5_000)
    const again = askedFor(terminal.read(), kept, terminal)
    if (again.length > 0) send(terminal, way, again)
    answers = [...answers, ...terminal.read()]
  }
  const results = answers.flatMap((message) => (message.type === 'platform-response' ? [message.body.result] : []))
  assert.ok(results.every((result) => result === 0))
  return { seen: published(app), place }
}

const way: fc.Arbitrary<Way> = fc.record({
  transport: fc.constantFrom('tcp', 'udp'),
  phone: fc.constantFrom(...PHONES),
  order: fc.array(fc.nat(100), { maxLength: 40 }),
  repeated: fc.array(fc.nat(100), { maxLength: 8 }),
  lost: fc.integer({ min: -1, max: 100 }),
  cuts: fc.array(fc.nat(3000), { maxLength: 60 }),
})

test('property: any cut of the stream, any order, repetition and one part lost give what an orderly terminal gives', async () => {
  const orderly = { transport: 'tcp', phone: PHONES[0], order: [], repeated: [], lost: -1, cuts: [] } as const
  const { seen, place } = await talk(orderly)
  assert.equal(seen.length, 9)
  assert.deepEqual([...place.world.malformed(), ...place.world.counters()], [])
  await fc.assert(
    fc.asyncProperty(way, async (one) => {
      const { seen: other, place } = await talk(one)
      assert.deepEqual(other, seen)
      assert.deepEqual([...place.world.malformed()], [])
      const names = [...place.world.counters().keys()].filter((name) => name !== 'duplicate' && name !== 'parts-asked-for')
      assert.deepEqual(names, [])
      assert.equal(place.world.counters().get('parts-asked-for'), one.lost < 0 ? undefined : 1)
    }),
    { numRuns: 100 },
  )
})
