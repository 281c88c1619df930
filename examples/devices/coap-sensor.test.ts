/** The simulated thermometer over a bad network, against a server of a few lines on a loopback socket. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import { ACK, CHANGED, POST } from '#stacks/coap/codes'
import { parse, serialize } from '#stacks/coap/message'
import { CoapSensor } from './coap-sensor.ts'
import { Impairment, PERFECT } from './impairment.ts'

const COUNT = 20_000

function share(network: Impairment, matches: (arrivals: readonly number[]) => boolean): number {
  let found = 0
  for (let i = 0; i < COUNT; i++) if (matches(network.next())) found++
  return found / COUNT
}

test('loss and duplication are as frequent as they were asked for, and a seed repeats a run', () => {
  const options = { loss: 0.3, delayMs: 50, reorder: true, duplicate: 0.05, seed: 7 }
  const lost = share(new Impairment(options), (arrivals) => arrivals.length === 0)
  assert.ok(Math.abs(lost - 0.3) < 0.02, `${lost}`)
  const twice = share(new Impairment({ ...options, loss: 0 }), (arrivals) => arrivals.length === 2)
  assert.ok(Math.abs(twice - 0.05) < 0.01, `${twice}`)
  const run = (seed: number) => {
    const network = new Impairment({ ...options, seed })
    return Array.from({ length: 50 }, () => network.next())
  }
  assert.deepEqual(run(7), run(7))
  assert.notDeepEqual(run(7), run(8))
})

test('without reordering nothing overtakes, with it some do', () => {
  const constant = new Impairment({ ...PERFECT, delayMs: 50 })
  assert.equal(
    share(constant, ([delayMs]) => delayMs === 50),
    1,
  )
  const jitter = new Impairment({ ...PERFECT, delayMs: 50, reorder: true })
  const delays = Array.from({ length: 100 }, () => jitter.next()[0] as number)
  assert.ok(delays.every((delayMs) => delayMs >= 50 && delayMs <= 150))
  assert.ok(delays.some((delayMs, i) => i > 0 && delayMs < (delays[i - 1] as number) - 1))
})

test('the sensor reports through duplication and reordering, and each report is accepted once', async (t) => {
  const server = createSocket('udp4')
  const messageIds = new Set<number>()
  let received = 0
  server.on('message', (datagram, { port, address }) => {
    const request = parse(datagram)
    if (isMalformed(request) || request.code !== POST) return
    received++
    messageIds.add(request.messageId)
    server.send(serialize(ACK, CHANGED, request.messageId, request.token), port, address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const network = { loss: 0, delayMs: 2, reorder: true, duplicate: 1, seed: 3 }
  const { port } = server.address()
  const sensor = new CoapSensor({ host: '127.0.0.1', port, clientId: 'm1', intervalMs: 1, count: 5, network })
  t.after(() => sensor.stop())
  const outcomes: string[] = []
  await sensor.run(({ outcome }) => void outcomes.push(outcome))
  assert.deepEqual(outcomes, ['2.04', '2.04', '2.04', '2.04', '2.04'])
  assert.equal(messageIds.size, 5)
  assert.ok(received > 5, 'some arrived twice')
})
