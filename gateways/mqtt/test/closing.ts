/** Packets that a client may not send: the connection closes, the fault is counted once, nothing is left. */
import assert from 'node:assert/strict'
import { unhex } from '#testing'
import { fixture } from './peer.ts'

const CONNECT = '100d 0004 4d515454 04 02 0000 0001 61'

/** Keys say what is wrong, values are hex. A CONNECT is the first packet, the others stand behind one of 3.1.1. */
export async function eachCloses(packets: Readonly<Record<string, string>>): Promise<void> {
  for (const [what, digits] of Object.entries(packets)) {
    const { open, world } = await fixture()
    const peer = open()
    const isFirst = digits.startsWith('1')
    if (!isFirst) peer.raw(unhex(CONNECT))
    peer.raw(unhex(digits))
    assert.equal(peer.peer.closed, 'protocol-error', what)
    assert.equal(peer.peer.take().length, isFirst ? 0 : 1, `${what}: nothing is sent but the CONNACK of the connect before`)
    assert.equal(
      [...world.malformed().values()].reduce((a, b) => a + b, 0),
      1,
      `${what}: counted once`,
    )
    assert.deepEqual([world.core.size, world.wheel.size, world.faults()], [0, 0, 0], what)
  }
}

const CONNECT_5 = '100e 0004 4d515454 05 02 0000 00 0001 61'

/** Behind a CONNECT of 5.0: DISCONNECT with this reason code, then the close. */
export async function eachIsRefused(reason: number, packets: Readonly<Record<string, string>>): Promise<void> {
  for (const [what, digits] of Object.entries(packets)) {
    const { open, world } = await fixture()
    const peer = open(5)
    peer.raw(unhex(CONNECT_5))
    peer.peer.take()
    peer.raw(unhex(digits))
    assert.deepEqual(
      peer.peer.take().map(([first, , code]) => [first, code]),
      [[0xe0, reason]],
      `${what}: one DISCONNECT`,
    )
    assert.equal(peer.peer.closed, 'protocol-error', what)
    assert.equal(
      [...world.malformed().values()].reduce((a, b) => a + b, 0),
      1,
      `${what}: counted once`,
    )
    assert.deepEqual([world.core.size, world.wheel.size, world.faults()], [0, 0, 0], what)
  }
}

/** A CONNECT of 5.0: CONNACK with this reason code, then the close. */
export async function eachConnectIsRefused(reason: number, packets: Readonly<Record<string, string>>): Promise<void> {
  for (const [what, digits] of Object.entries(packets)) {
    const { open, world } = await fixture()
    const peer = open(5)
    peer.raw(unhex(digits))
    assert.deepEqual(
      peer.peer.take().map((bytes) => [...bytes]),
      [[0x20, 3, 0, reason, 0]],
      `${what}: one CONNACK`,
    )
    assert.equal(peer.peer.closed, 'protocol-error', what)
    assert.deepEqual([world.core.size, world.wheel.size, world.faults()], [0, 0, 0], what)
  }
}
