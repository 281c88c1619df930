/** AUTH of version 2.0: a method of the access control, with as many packets as it likes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { text, World } from '#testing'
import { stage } from './v2-device.ts'

const PROOF = '70726f6f66' // proof

type Access = NonNullable<NonNullable<ConstructorParameters<typeof World>[0]>['access']>

/** Asks `who?` once, and knows the answer. */
function method(): Access {
  return {
    authenticate: () => ({ ok: true }),
    exchange: ({ request }) => {
      if (request.authentication?.method !== 'RIDDLE') return undefined
      return {
        data: Buffer.from('who?'),
        answer: (data) =>
          text(data ?? new Uint8Array(0)) === 'proof'
            ? { ok: true, data: Buffer.from('ok') }
            : { ok: false, reason: 'bad-credentials' },
      }
    },
  }
}

const connect = 'CONNECT protocol=2 clientId=c1 packetId=1 keepAlive=60 method=RIDDLE data=00'
const riddle = 'AUTH packetId=1 reason=24 method=RIDDLE data=77686f3f'

test('a challenge, its answer, and CONNACK with the last word of the method', async () => {
  const { device, world } = await stage({}, new World({ access: method() }))
  const sensor = device()
  sensor.ask(connect, riddle)
  assert.equal(world.core.client('c1'), undefined)
  sensor.ask(`AUTH packetId=2 reason=24 method=RIDDLE data=${PROOF}`, 'CONNACK packetId=1 reason=0 method=RIDDLE data=6f6b')
  sensor.ask('PINGREQ packetId=3', 'PINGRESP packetId=3')
  // Anew, whenever the client asks for it.
  sensor.ask('AUTH packetId=4 reason=25 method=RIDDLE', 'AUTH packetId=4 reason=24 method=RIDDLE data=77686f3f')
  sensor.ask('PINGREQ packetId=5', 'PINGRESP packetId=5')
  sensor.ask(`AUTH packetId=6 reason=24 method=RIDDLE data=${PROOF}`, 'AUTH packetId=6 reason=0 method=RIDDLE data=6f6b')
  sensor.send('AUTH packetId=7 reason=25 method=RIDDLE')
  sensor.take()
  sensor.ask('AUTH packetId=8 reason=24 method=RIDDLE data=00', 'DISCONNECT reason=134')
  assert.equal(world.core.client('c1'), undefined)
})

test('a wrong answer, another method, and no answer at all', async () => {
  const { device, world } = await stage({}, new World({ access: method() }))
  const wrong = device()
  wrong.ask(connect, riddle)
  wrong.ask('AUTH packetId=2 reason=24 method=RIDDLE data=00', 'CONNACK packetId=1 reason=134')
  device().ask('CONNECT protocol=2 clientId=c2 packetId=1 keepAlive=60 method=SCRAM', 'CONNACK packetId=1 reason=140')
  const silent = device()
  silent.ask(connect, riddle)
  silent.send('AUTH packetId=2 reason=24 method=OTHER')
  silent.send('PINGREQ packetId=3')
  assert.equal(world.counters().get('unexpected-message'), 2)
  world.advance(100_000)
  assert.equal(silent.peer.closed, 'connect-timeout')
  assert.equal(world.wheel.size, 0)
})
