/**
 * Hostile dialogues against every gateway on disk, for as long as OMNIGATE_FUZZ_SECONDS says (each; default 3). Nothing may
 * throw, and nothing may be left when all devices are gone. A failure names its seed: OMNIGATE_FUZZ_SEED repeats it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { World } from '../../src/testing.ts'
import { installed } from '../conformance/installed.ts'
import { hostileDialogues, openersOf } from '../property/inputs.ts'
import { lineSubject } from '../property/line-gateway.ts'
import { command, openPeer } from '../property/performance.ts'
import type { Subject } from '../property/subject.ts'
import { subjectsOf } from '../property/subject.ts'
import { corpusOf } from './corpus.ts'

const SECONDS = Number(process.env['OMNIGATE_FUZZ_SECONDS'] ?? 3)
const SEED = Number(process.env['OMNIGATE_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
/** Devices in one world; then everything must be gone. */
const DEVICES = 64
const LONGEST_LIFE_MS = 60 * 86_400_000

interface Tally {
  dialogues: number
  inputs: number
}

/** One world: devices come, send, are commanded and leave. */
async function round(subject: Subject, dialogues: readonly Uint8Array[][], tally: Tally): Promise<void> {
  const world = new World({ seed: tally.dialogues + 1 })
  const gateway = await world.gateway(subject.module)
  const app = world.app('application')
  app.subscribe('#', { qos: 1 })
  for (const [index, inputs] of dialogues.entries()) {
    const peer = openPeer(subject, gateway, 1024 + index)
    for (const input of inputs) {
      peer.send(input)
      tally.inputs++
    }
    tally.dialogues++
    if (index % 8 === 7)
      command({ world, gateway, peer, sent: [], published: [] }, (topic, payload) => void app.publish(topic, payload))
    world.advance(100)
    peer.take()
    app.take()
    // Every other one stays, so that others meet its session.
    if (index % 2 === 0) peer.hangUp()
  }
  app.disconnect()
  await gateway.close()
  world.advance(LONGEST_LIFE_MS)
  assert.deepEqual(world.errors, [])
  assert.equal(world.faults(), 0, 'a session threw')
  const left = { timers: world.wheel.size, sessions: gateway.runtime.hosts.size, clients: world.core.size }
  assert.deepEqual(left, { timers: 0, sessions: 0, clients: 0 })
}

async function fuzz(subject: Subject, seconds: number, seed: number): Promise<Tally> {
  const tally = { dialogues: 0, inputs: 0 }
  const openers = await openersOf(subject)
  const end = performance.now() + seconds * 1000
  for (let batch = 0; batch === 0 || performance.now() < end; batch++) {
    const dialogues = fc.sample(hostileDialogues(subject, openers), { numRuns: DEVICES, seed: seed + batch })
    try {
      await round(subject, dialogues, tally)
    } catch (error) {
      const inputs = dialogues.map((inputs) => inputs.map((bytes) => Buffer.from(bytes).toString('hex')).join(' '))
      throw new Error(`${(error as Error).message}\nOMNIGATE_FUZZ_SEED=${seed + batch}\n${inputs.join('\n')}`, { cause: error })
    }
  }
  return tally
}

for (const gateway of await installed()) {
  test(`${gateway.name} survives what devices may send`, async (t) => {
    for (const known of subjectsOf(gateway)) {
      const subject = { ...known, malformed: [...known.malformed, ...corpusOf(gateway.name)] }
      const { dialogues, inputs } = await fuzz(subject, SECONDS, SEED)
      assert.ok(dialogues >= DEVICES)
      const rate = `${Math.round(inputs / SECONDS)} inputs/s in ${Math.round(dialogues / SECONDS)} sessions/s`
      t.diagnostic(`${subject.name}: ${rate}, seed ${SEED}`)
    }
  })
}

test('a gateway that throws does not survive', async () => {
  await assert.rejects(fuzz(lineSubject('throws'), 0, 1), /OMNIGATE_FUZZ_SEED=1/)
  await assert.rejects(fuzz(lineSubject('keeps its client for ever'), 0, 1), /clients/)
  await fuzz(lineSubject(), 0, 1)
})
