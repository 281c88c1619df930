/** The five properties that every gateway has. Each rejects with fast-check's counterexample when it does not hold. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { isMalformed } from '../../src/sdk.ts'
import { cutAt, dialogues, hostile, hostileDialogues, mutated, openersOf } from './inputs.ts'
import { command, openPeer, openStage, perform } from './performance.ts'
import type { Seed, Subject } from './subject.ts'

/** Longer than any session, registration or exchange may outlive its connection. */
const LONGEST_LIFE_MS = 60 * 86_400_000

export interface Effort {
  readonly seed: number
  readonly runs: number
}

/** How a stream was cut into chunks changes nothing. Streams only. */
export async function chunkingInvariance(subject: Subject, { seed, runs }: Effort): Promise<void> {
  const dialogue = fc.oneof(dialogues(subject, await openersOf(subject)), hostileDialogues(subject, await openersOf(subject)))
  const property = fc.asyncProperty(dialogue, fc.array(fc.nat(), { maxLength: 12 }), async (frames, places) => {
    const bytes = Buffer.concat(frames)
    const whole = await perform(subject, [bytes])
    assert.deepEqual(await perform(subject, cutAt(bytes, places)), whole, 'cut at random places')
    assert.deepEqual(
      await perform(
        subject,
        [...bytes].map((octet) => Uint8Array.of(octet)),
      ),
      whole,
      'octet by octet',
    )
  })
  await fc.assert(property, { seed, numRuns: runs })
}

/** What decodes encodes again: vectors to the same octets, whatever else is accepted to something stable. */
export async function roundTrip(subject: Subject, { seed, runs }: Effort): Promise<void> {
  for (const { bytes, wire, canonical } of subject.frames) {
    const message = wire.codec.decode(bytes)
    assert.ok(!isMalformed(message), `a vector does not decode: ${Buffer.from(bytes).toString('hex')}`)
    if (canonical) assert.deepEqual(Buffer.from(wire.codec.encode(message)), Buffer.from(bytes))
  }
  const damaged = fc
    .constantFrom(...subject.frames)
    .chain((vector) => mutated(fc.constant(vector.bytes)).map((bytes): Seed => ({ ...vector, bytes })))
  const property = fc.property(damaged, ({ bytes, wire: { codec } }) => {
    const message = codec.decode(bytes)
    if (isMalformed(message)) return
    const once = codec.encode(message)
    const again = codec.decode(once)
    assert.ok(!isMalformed(again), `what was encoded does not decode: ${Buffer.from(once).toString('hex')}`)
    assert.deepEqual(Buffer.from(codec.encode(again)), Buffer.from(once), 'encoding is not stable')
  })
  fc.assert(property, { seed, numRuns: runs * 10 })
}

/** Nothing throws, and what the codec rejects is counted or answered. */
export async function totality(subject: Subject, { seed, runs }: Effort): Promise<void> {
  const dialogue = hostileDialogues(subject, await openersOf(subject))
  await fc.assert(
    fc.asyncProperty(dialogue, async (inputs) => void (await perform(subject, inputs))),
    { seed, numRuns: runs },
  )
  const visible = fc.asyncProperty(hostile(subject), async (input) => {
    if (!isRejected(subject, input)) return
    const { sent, malformed, counters } = await perform(subject, [input])
    const isSeen = sent.some((bytes) => bytes !== '') || Object.keys(malformed).length > 0 || Object.keys(counters).length > 0
    assert.ok(isSeen, `rejected, but neither counted nor answered: ${Buffer.from(input).toString('hex')}`)
  })
  await fc.assert(visible, { seed, numRuns: runs })
}

/** True when the first frame of `input` is none, or the stream cannot be followed. */
function isRejected({ wire, datagram }: Subject, input: Uint8Array): boolean {
  // The host wakes a session with an empty chunk: that is no input.
  if (datagram) return input.length > 0 && isMalformed(wire.codec.decode(input))
  const framer = wire.framer?.()
  assert.ok(framer !== undefined, 'a stream needs a framer')
  let rejected: boolean | undefined
  framer.push(input, {
    frame: (bytes) => {
      rejected ??= isMalformed(wire.codec.decode(bytes))
      return true
    },
    malformed: () => {
      rejected ??= true
    },
  })
  return rejected === true
}

/** When every device is gone and every lifetime over, nothing is left: no timer, client, subscription or queued octet. */
export async function quiescence(subject: Subject, { seed, runs }: Effort): Promise<void> {
  const openers = await openersOf(subject)
  const property = fc.asyncProperty(
    fc.array(hostileDialogues(subject, openers), { minLength: 1, maxLength: 3 }),
    async (devices) => {
      const stage = await openStage(subject)
      const { world, gateway } = stage
      const app = world.app('application', { autoAck: false })
      app.subscribe('#', { qos: 1 })
      const peers = devices.map((inputs, i) => {
        const peer = openPeer(subject, gateway, 6000 + i)
        for (const input of inputs) peer.send(input)
        return peer
      })
      command(stage, (topic, payload) => void app.publish(topic, payload, { qos: 1 }))
      app.disconnect()
      for (const peer of [...peers, stage.peer]) peer.hangUp()
      world.advance(LONGEST_LIFE_MS)
      const { core, wheel } = world
      assert.deepEqual(
        {
          timers: wheel.size,
          sessions: gateway.runtime.hosts.size,
          clients: [...core.clients()].map(({ id }) => id),
          subscriptions: core.subscriptionCount,
          queued: core.stats.queued,
          queuedBytes: core.stats.queuedBytes,
          faults: world.faults(),
        },
        { timers: 0, sessions: 0, clients: [], subscriptions: 0, queued: 0, queuedBytes: 0, faults: 0 },
      )
    },
  )
  await fc.assert(property, { seed, numRuns: runs })
}

/** The same octets, the same randomness, the same time: the same answers, to the octet. */
export async function determinism(subject: Subject, { seed, runs }: Effort): Promise<void> {
  const dialogue = hostileDialogues(subject, await openersOf(subject))
  const property = fc.asyncProperty(dialogue, fc.nat(), async (inputs, randomness) => {
    const first = await perform(subject, inputs, randomness)
    assert.deepEqual(await perform(subject, inputs, randomness), first)
  })
  await fc.assert(property, { seed, numRuns: runs })
}
