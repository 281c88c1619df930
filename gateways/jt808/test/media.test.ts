/** Pictures and sound on their way to the event topic. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bodies } from '../codec/index.ts'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

const PICTURE: Bodies['media-data'] = {
  id: 7,
  type: 0,
  format: 0,
  event: 2,
  channel: 1,
  location: HERE,
  multimedia: Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
}

async function published(config: object, body: Bodies['media-data']) {
  const { gateway, app } = await scene(config)
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'media-data', body }))
  assert.equal(terminal.one('media-response').body.mm_id, body.id)
  const [event = assert.fail(), ...rest] = app.take()
  assert.deepEqual(rest, [])
  assert.equal(event.topic, 'devices/013812345678/up/event')
  return event.json() as { type: string; data: Record<string, unknown>; native: { body: Record<string, unknown> } }
}

test('a picture says what it is and carries its octets once', async () => {
  const { type, data, native } = await published({}, PICTURE)
  assert.equal(type, 'media')
  assert.deepEqual(data, {
    media_id: 7,
    kind: 'image',
    format: 'jpeg',
    cause: 'robbery',
    channel: 1,
    location: {
      lat: 31.230416,
      lon: 121.473701,
      alt_m: 12,
      speed_kmh: 61.4,
      heading_deg: 178,
      time: '2026-11-22T08:00:00Z',
      alarms: [],
      status: ['acc-on', 'positioned'],
    },
    size: 4,
    bytes: '/9j/4A==',
  })
  assert.equal(native.body['multimedia'], '')
})

test('more octets than allowed stay out, their number does not', async () => {
  const { data } = await published({ maxMediaBytes: '3B', files: { enabled: false } }, PICTURE)
  assert.equal(data['size'], 4)
  assert.equal('bytes' in data, false)
})

test('more octets than allowed become a file, and the event names it', async () => {
  const { world, gateway, app } = await scene({ maxMediaBytes: '3B' })
  app.subscribe('jt808/+/+/up', { qos: 1 })
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.frame({ type: 'media-data', body: PICTURE }))
  assert.equal(terminal.one('media-response').body.mm_id, 7)
  const file = 'media/jt808/013812345678/7-261122080000.jpeg'
  assert.deepEqual(
    app.take().map((received) => {
      const { data, body } = received.json() as Record<'data' | 'body', Record<string, unknown> | undefined>
      const { file, bytes, multimedia } = { ...data, ...body }
      return { file, bytes, multimedia }
    }),
    Array(2).fill({ file, bytes: undefined, multimedia: undefined }),
  )
  assert.deepEqual([...world.outside.files], [[file, PICTURE.multimedia]])
})

test('a file that cannot be written is an event that says why, and the terminal keeps its picture', async () => {
  const { world, gateway, app } = await scene({ maxMediaBytes: '3B' })
  world.outside.saveFailure = 'disk-full'
  const terminal = Terminal.online(gateway)
  app.take()
  const frame = terminal.frame({ type: 'media-data', body: PICTURE })
  terminal.send(frame)
  assert.deepEqual(terminal.results(), [[0x0801, 1]])
  const [event] = app.take().map((received) => received.json() as { data: Record<string, unknown> })
  assert.equal(event?.data['file_error'], 'disk-full')
  world.outside.saveFailure = undefined
  terminal.send(frame)
  assert.equal(terminal.one('media-response').body.mm_id, 7, 'it may come again')
})

test('a session that ends while its file is written is let go', async () => {
  const { world, gateway } = await scene({ maxMediaBytes: '3B' })
  const terminal = Terminal.online(gateway)
  terminal.peer.wire.receive(terminal.frame({ type: 'media-data', body: PICTURE }))
  terminal.peer.hangUp()
  world.settle()
  assert.equal(world.outside.files.size, 1)
  assert.equal(world.faults(), 0)
})

test('sound of a 2011 terminal has no location; numbers without a name stay numbers', async () => {
  const { location: _, ...bare } = PICTURE
  const { data } = await published({}, { ...bare, type: 1, format: 9, event: 99 })
  assert.deepEqual([data['kind'], data['format'], data['cause'], data['location']], ['audio', 9, 99, undefined])
})

test('a picture that the terminal sends again is answered again and published once', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const frame = terminal.frame({ type: 'media-data', body: PICTURE })
  terminal.send(frame, frame)
  assert.deepEqual(
    terminal.read().map(({ type }) => type),
    ['media-response', 'media-response'],
  )
  assert.equal(app.take().length, 1)
})

test('a terminal of 2011 is told that nothing is missing with a list of none', async () => {
  const { gateway } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register({ edition: '2011' }), terminal.authenticate('any'))
  terminal.read()
  terminal.send(terminal.frame({ type: 'media-data', body: PICTURE }))
  assert.equal(terminal.one('media-response').body.length, 0)
})

test('the end of an attachment is confirmed with 0x9212', async () => {
  const { gateway } = await scene()
  const terminal = Terminal.online(gateway)
  terminal.send(terminal.frame({ type: 'file-end', body: { name: '00_64_6401_0_a.jpg', type: 0, size: 4 } }))
  const { body } = terminal.one('file-response')
  assert.deepEqual([body.name, body.type, body.result, body.ranges], ['00_64_6401_0_a.jpg', 0, 0, []])
})
