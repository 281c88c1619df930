/** What becomes of wills when the server closes the connections (OASIS v5.0 section 3.1.2.5). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../../../src/testing.ts'
import { echoGateway } from './echo-gateway.ts'

for (const willOnShutdown of [true, false]) {
  test(`a stop ${willOnShutdown ? 'publishes' : 'drops'} wills with willOnShutdown ${willOnShutdown}`, async () => {
    const world = new World({ willOnShutdown })
    const gateway = await world.gateway(echoGateway())
    const app = world.app('app')
    app.subscribe('gone')
    gateway.connect().send(new TextEncoder().encode('willed gone'))
    await gateway.close()
    assert.equal(app.take().length, willOnShutdown ? 1 : 0)
  })
}

test('without willOnShutdown a connection that is lost still leaves its will', async () => {
  const world = new World({ willOnShutdown: false })
  const gateway = await world.gateway(echoGateway())
  const app = world.app('app')
  app.subscribe('gone')
  const peer = gateway.connect()
  peer.send(new TextEncoder().encode('willed gone'))
  peer.hangUp()
  assert.equal(app.take().length, 1)
})

test('wills that a stop would cause go out before anybody is disconnected, once', async () => {
  const world = new World()
  const [one, two] = [
    await world.gateway(echoGateway(), {}, { name: 'one' }),
    await world.gateway(echoGateway(), {}, { name: 'two' }),
  ]
  const listener = one.connect()
  for (const words of ['id listener', 'sub gone']) listener.send(new TextEncoder().encode(words))
  two.connect().send(new TextEncoder().encode('willed gone'))
  listener.take()
  world.core.publishWills()
  assert.deepEqual(
    listener.take().map((bytes) => new TextDecoder().decode(bytes)),
    ['got gone'],
  )
  await two.close()
  assert.deepEqual(listener.take(), [])
})
