/** Whatever a terminal says or does not say: each command ends in one response, and the next one still works. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AppClient } from '#testing'
import type { Message } from '../codec/index.ts'
import { type Scene, scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const TOPIC = 'devices/013812345678/down/command'

/** What the application asks for: some wait for a reply of their own, one cannot be composed, one is longer than a frame. */
const COMMANDS = [
  { name: 'message', args: { text: 'hi' } },
  { name: 'locate' },
  { name: 'read' },
  { name: 'jt808.8900', args: { type: 0x41, data: Buffer.alloc(2500).toString('base64') } },
  { name: 'jt808.8702' },
  { name: 'jt808.8003', args: { seq: 1, ids: [1] } },
  { name: 'interval', args: { interval_s: -1 } },
] as const

type Act = 'accept' | 'refuse' | 'reply' | 'repeat' | 'wrong-serial' | 'stray' | 'wait' | 'wait-long' | 'takeover' | 'hang-up'

const ACTS: readonly Act[] = [
  'accept',
  'refuse',
  'reply',
  'repeat',
  'wrong-serial',
  'stray',
  'wait',
  'wait-long',
  'takeover',
  'hang-up',
]

/** A terminal that does as it is told with what it last received. */
class Actor {
  readonly #scene: Scene
  #terminal: Terminal
  #last: Message | undefined = undefined
  #said: Uint8Array | undefined = undefined

  constructor(place: Scene) {
    this.#scene = place
    this.#terminal = Terminal.online(place.gateway)
  }

  do(act: Act): void {
    this.#last = this.#terminal.read().findLast(({ header }) => header.id !== 0x8001) ?? this.#last
    const last = this.#last
    if (act === 'wait') this.#scene.world.advance(9_000)
    else if (act === 'wait-long') this.#scene.world.advance(40_000)
    else if (act === 'hang-up') this.#terminal.peer.hangUp()
    else if (act === 'takeover') this.#terminal = Terminal.online(this.#scene.gateway)
    else if (act === 'repeat') {
      if (this.#said !== undefined) this.#terminal.send(this.#said)
    } else if (act === 'stray') this.#say(this.#terminal.raw(0x0702, Uint8Array.of(2, 0x26, 0x11, 0x22, 0x13, 0x05, 0x01)))
    else if (last !== undefined) this.#answer(act, last)
  }

  #answer(act: Act, last: Message): void {
    const seq = last.header.sn + (last.header.part === undefined ? 0 : 1 - last.header.part.sn)
    if (act === 'accept') this.#say(this.#terminal.answer(last, 0))
    else if (act === 'refuse') this.#say(this.#terminal.answer(last, 3))
    else if (act === 'wrong-serial') this.#say(this.#terminal.answer({ ...last, header: { ...last.header, sn: seq + 9 } }, 0))
    else if (last.type === 'location-query')
      this.#say(this.#terminal.frame({ type: 'location-reply', body: { seq, params: HERE } }))
    else this.#say(this.#terminal.frame({ type: 'parameters-reply', body: { seq, params: [] } }))
  }

  #say(frame: Uint8Array): void {
    this.#said = frame
    this.#terminal.send(frame)
  }
}

function answered(app: AppClient): string[] {
  return app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/response'))
    .map((received) => (received.json() as { id: string }).id)
}

test('property: each command ends in exactly one response, whatever the terminal does', async () => {
  const step = fc.oneof(fc.constantFrom(...ACTS), fc.nat(COMMANDS.length - 1))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const place = await scene()
      const actor = new Actor(place)
      const asked: string[] = []
      const got: string[] = []
      for (const one of steps) {
        if (typeof one === 'string') actor.do(one)
        else {
          const id = String(asked.length)
          place.app.publish(TOPIC, JSON.stringify({ id, timeout_s: 60, ...COMMANDS[one] }), { qos: 1 })
          asked.push(id)
        }
        got.push(...answered(place.app))
      }
      place.world.advance(60_000 * (asked.length + 1))
      got.push(...answered(place.app))
      assert.deepEqual(got.sort(), asked.sort())
      assert.equal(place.world.faults(), 0)
    }),
    { numRuns: 150 },
  )
})
