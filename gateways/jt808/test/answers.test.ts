/** What terminals disagree about, as the config decides it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../codec/index.ts'
import { scene, seen } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const ANSWERS = { answers: { replies: true, unknown: 'ok', mediaList: true } }
const reply: Draft = { type: 'location-reply', body: { seq: 9, params: HERE } }

test('replies are acknowledged where terminals wait for it', async () => {
  for (const [config, results] of [
    [{}, []],
    [ANSWERS, [[0x0201, 0]]],
  ] as const) {
    const terminal = Terminal.online((await scene(config)).gateway)
    terminal.send(terminal.frame(reply))
    assert.deepEqual(terminal.results(), results)
  }
})

test('messages that nobody declared are accepted where applications read them', async () => {
  for (const [config, result] of [
    [{}, 3],
    [ANSWERS, 0],
  ] as const) {
    const { world, gateway, app } = await scene(config)
    const terminal = Terminal.online(gateway)
    app.take()
    terminal.send(terminal.raw(0xe001, Uint8Array.of(1)), terminal.raw(0x0f00, new Uint8Array(128), { encryption: 1 }))
    assert.deepEqual(terminal.results(), [
      [0xe001, result],
      [0x0f00, 3],
    ])
    assert.deepEqual(seen(app), ['unknown', 'unknown'])
    assert.equal(world.counters().get('unknown-message'), 1)
  }
})

test('media that is complete ends with an empty list where terminals want one', async () => {
  const terminal = Terminal.online((await scene(ANSWERS)).gateway)
  const body = { id: 77, type: 0, format: 0, event: 0, channel: 1, location: HERE, multimedia: Uint8Array.of(1) }
  terminal.send(terminal.frame({ type: 'media-data', body }))
  assert.deepEqual(terminal.one('media-response').body.retx_ids, [])
})
