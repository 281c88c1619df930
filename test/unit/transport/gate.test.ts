/** Listeners behind a gate: output leaves when what it depends on is stored, or not at all. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Gate } from '../../../src/transport/gate.ts'
import { bind, dial, Received, sendText, turns } from './loopback.ts'

/** Closed until somebody asks, or for good. */
class TestGate implements Gate {
  closed = true
  isBroken = false
  asked = 0
  readonly #waiting: { flush(): void }[] = []

  open(): boolean {
    this.asked++
    if (this.isBroken) return false
    this.closed = false
    return true
  }

  postpone(output: { flush(): void }): void {
    this.#waiting.push(output)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  turn(): void {
    for (const output of this.#waiting.splice(0)) output.flush()
  }
}

test('a stream asks before it writes', async (t) => {
  const gate = new TestGate()
  const bound = await bind(t, { total: { gate } })
  const received = new Received(await dial(t, bound))
  const { wire } = await bound.peer()
  sendText(wire, 'stored')
  assert.equal(gate.asked, 0)
  await received.until(() => received.text === 'stored')
  assert.equal(gate.asked, 1)
  sendText(wire, ' and open')
  await received.until(() => received.text === 'stored and open')
  assert.equal(gate.asked, 1, 'an open gate is passed without asking')
})

test('a stream whose output may not leave is cut, and nothing of it was sent', async (t) => {
  const gate = new TestGate()
  gate.isBroken = true
  const bound = await bind(t, { total: { gate } })
  const socket = await dial(t, bound)
  const received = new Received(socket)
  const peer = await bound.peer()
  sendText(peer.wire, 'never')
  await peer.until(() => peer.closes.length > 0)
  assert.equal(peer.closes[0]?.cause, 'unavailable')
  if (!socket.destroyed) await once(socket, 'close')
  assert.equal(received.text, '')
  assert.equal(bound.listener.stats.bytesOut, 0)
})

for (const isBroken of [false, true]) {
  test(`datagrams wait for the end of the turn, and then ${isBroken ? 'are dropped' : 'go in order'}`, async (t) => {
    const gate = new TestGate()
    const bound = await bind(t, { type: 'udp', total: { gate } })
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    const texts: string[] = []
    socket.on('message', (bytes) => texts.push(bytes.toString()))
    await new Promise<void>((resolve) => socket.send('hello', bound.port, bound.host, () => resolve()))
    const { wire } = await bound.peer()
    sendText(wire, 'one')
    gate.closed = false
    sendText(wire, 'two')
    await turns()
    assert.deepEqual([gate.waiting, texts], [1, []], 'what comes later waits behind it')
    gate.closed = true
    gate.isBroken = isBroken
    gate.turn()
    gate.closed = false
    sendText(wire, 'last')
    while (!texts.includes('last')) await once(socket, 'message')
    assert.deepEqual(texts, isBroken ? ['last'] : ['one', 'two', 'last'])
    assert.equal(bound.listener.stats.datagramsDropped, isBroken ? 2 : 0)
  })
}
