/** The simulated sensor against a gateway of a few lines on a loopback socket. */
import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { SleepySensor } from '../sleepy-sensor.ts'
import * as sn from './messages.ts'

const COMMAND = '{"id":"7","name":"message","args":{"text":"hello"}}'

interface Platform {
  readonly port: number
  readonly published: string[]
  readonly types: number[]
}

/** Answers as a gateway would, loses the first `lost` datagrams, and has a command for the first that wakes up. */
async function platform(t: TestContext, lost = 0): Promise<Platform> {
  const socket: Socket = createSocket('udp4')
  t.after(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const published: string[] = []
  const types: number[] = []
  let left = lost
  let isTold = false
  socket.on('message', (datagram, from) => {
    if (left-- > 0) return
    const { type, body } = sn.read(datagram) ?? assert.fail('the sensor says what can be read')
    types.push(type)
    if (type === sn.Type.publish) published.push(body.subarray(5).toString())
    if (type === sn.Type.pingreq && !isTold) {
      isTold = true
      send(from, sn.regack(9, 1).fill(sn.Type.register, 1, 2))
      send(from, sn.publish(9, 1, COMMAND))
      return
    }
    for (const answer of answers(type, body)) send(from, answer)
  })
  const send = (to: RemoteInfo, bytes: Buffer): void => socket.send(bytes, to.port, to.address)
  return { port: socket.address().port, published, types }
}

function answers(type: number, body: Buffer): Buffer[] {
  switch (type) {
    case sn.Type.connect:
      return [sn.message(sn.Type.connack, 0)]
    case sn.Type.subscribe:
      return [sn.message(sn.Type.suback, 0x20, 0, 1, body.subarray(1, 3), 0)]
    case sn.Type.register:
      return [sn.message(sn.Type.regack, 0, body.subarray(4).includes('telemetry') ? 2 : 3, body.subarray(2, 4), 0)]
    case sn.Type.publish:
      return [sn.puback(body.readUInt16BE(1), body.readUInt16BE(3))]
    case sn.Type.puback:
    case sn.Type.pingreq:
      return [sn.message(sn.Type.pingresp)]
    case sn.Type.disconnect:
      return [sn.disconnect()]
    default:
      return []
  }
}

test('messages are those of the standard', () => {
  assert.equal(sn.connect('c1', 60).toString('hex'), '0804000100' + '3c6331')
  assert.equal(sn.publish(1, 2, 'hi').toString('hex'), '090c20000100026869')
  assert.equal(sn.publish(1, 2, 'x'.repeat(291)).subarray(0, 4).toString('hex'), '01012c0c')
  assert.deepEqual(sn.read(sn.publish(1, 2, 'x'.repeat(291)))?.body.length, 296)
  assert.equal(sn.read(Buffer.of(3, 0x17)), undefined)
})

test('it reports, sleeps, takes a command when it wakes, and answers it', async (t) => {
  const { port, published, types } = await platform(t)
  const sensor = new SleepySensor({ host: '127.0.0.1', port, id: 's1', intervalMs: 20, count: 2 }).start()
  assert.equal(await sensor.finished, true)
  assert.equal(sensor.acknowledged, 2)
  assert.equal(sensor.commands, 1)
  const payloads = published.map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(
    payloads.map(({ type, ok }) => type ?? ok),
    ['measurement', true, 'measurement'],
  )
  assert.equal(types.filter((type) => type === sn.Type.pingreq).length, 1)
})

test('what is lost it says again', async (t) => {
  const { port } = await platform(t, 1)
  const sensor = new SleepySensor({ host: '127.0.0.1', port, id: 's1', intervalMs: 20, count: 1 }).start()
  assert.equal(await sensor.finished, true)
  assert.equal(sensor.acknowledged, 1)
})
