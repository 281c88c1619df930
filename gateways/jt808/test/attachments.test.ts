/** Files of alarms on a connection of their own: lists, packets, what is missing, and where they end up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AppClient, World } from '#testing'
import { AttachmentFramer, MAX_PACKET_DATA, type Packet } from '../codec/attachment-framer.ts'
import type { Bodies, Of } from '../codec/index.ts'
import { join, scene } from './scene.ts'
import { Terminal } from './terminal.ts'

const PHONE = '013812345678'
const LIST: Bodies['attachment-list'] = {
  terminal_id: 'ID00001',
  alarm_identifier: { terminal_id: 'ID00001', time: '261122160000', index: 0, count: 2, reserved: 0 },
  alarm_number: 'ALARM1',
  info_type: 0,
  files: [
    { name: '00_64_6401_0_ALARM1.jpg', size: 10 },
    { name: '02_64_6401_1_ALARM1.mp4', size: 300 },
  ],
}
const PICTURE = { name: '00_64_6401_0_ALARM1.jpg', type: 0, size: 10 }
const VIDEO = { name: '02_64_6401_1_ALARM1.mp4', type: 2, size: 300 }

function packet(name: string, offset: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(62)
  head.write('30316364', 'hex')
  head.write(name, 4, 'latin1')
  head.writeUInt32BE(offset, 54)
  head.writeUInt32BE(data.length, 58)
  return Buffer.concat([head, data])
}

function octets(size: number, from = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => from + i)
}

async function connected(config: object = {}, world = new World()) {
  const place = await scene({ role: 'attachments', ...config }, world)
  const terminal = new Terminal(place.gateway.connect(), PHONE)
  terminal.send(terminal.frame({ type: 'attachment-list', body: LIST }))
  assert.deepEqual(terminal.results(), [[0x1210, 0]])
  return { ...place, terminal }
}

function attachments(app: AppClient): Record<string, unknown>[] {
  return app
    .take()
    .filter(({ topic }) => topic === `devices/${PHONE}/up/event`)
    .map((received) => received.json() as { type: string; device: string; data: Record<string, unknown> })
    .filter(({ type, device }) => type === 'attachment' && device === PHONE)
    .map(({ data }) => data)
}

test('a file in packets, in any order and repeated, is an event of the terminal', async () => {
  const { app, terminal } = await connected()
  terminal.send(terminal.frame({ type: 'file-begin', body: PICTURE }))
  assert.deepEqual(terminal.results(), [[0x1211, 0]])
  for (const [offset, size] of [
    [6, 4],
    [0, 6],
    [0, 6],
  ] as const)
    terminal.send(packet(PICTURE.name, offset, octets(size, offset)))
  terminal.send(terminal.frame({ type: 'file-end', body: PICTURE }))
  const { name, type, result, ranges } = terminal.one('file-response').body
  assert.deepEqual([name, type, result, ranges], [PICTURE.name, 0, 0, []])
  assert.deepEqual(attachments(app), [
    {
      name: PICTURE.name,
      kind: 'image',
      size: 10,
      alarm_number: 'ALARM1',
      alarm_identifier: LIST.alarm_identifier,
      bytes: Buffer.from(octets(10)).toString('base64'),
    },
  ])
  terminal.send(terminal.frame({ type: 'file-end', body: PICTURE }))
  assert.equal(terminal.one('file-response').body.result, 0, 'a repeated end is answered again')
  assert.deepEqual(attachments(app), [])
})

test('what is missing is asked for, and then the file is complete', async () => {
  const { world, app, terminal } = await connected()
  terminal.send(terminal.frame({ type: 'file-begin', body: VIDEO }))
  terminal.read()
  for (const offset of [100, 250]) terminal.send(packet(VIDEO.name, offset, octets(50)))
  terminal.send(terminal.frame({ type: 'file-end', body: VIDEO }))
  const { result, ranges } = terminal.one('file-response').body
  assert.equal(result, 1)
  assert.deepEqual(ranges, [
    { offset: 0, length: 100 },
    { offset: 150, length: 100 },
  ])
  assert.equal(world.counters().get('parts-asked-for'), 2)
  for (const { offset, length } of ranges) terminal.send(packet(VIDEO.name, offset, octets(length)))
  terminal.send(terminal.frame({ type: 'file-end', body: VIDEO }))
  assert.equal(terminal.one('file-response').body.result, 0)
  assert.equal(attachments(app).length, 1)
})

test('a large one becomes a file under phone and alarm, and the event names it', async () => {
  const { world, app, terminal } = await connected({ maxMediaBytes: '9B' })
  terminal.send(terminal.frame({ type: 'file-begin', body: PICTURE }), packet(PICTURE.name, 0, octets(10)))
  terminal.read()
  world.outside.saveFailure = 'disk-full'
  terminal.send(terminal.frame({ type: 'file-end', body: PICTURE }))
  assert.deepEqual(terminal.results(), [[0x1212, 1]], 'the terminal keeps it')
  assert.equal(attachments(app)[0]?.['file_error'], 'disk-full')
  world.outside.saveFailure = undefined
  terminal.send(terminal.frame({ type: 'file-end', body: PICTURE }))
  assert.equal(terminal.one('file-response').body.result, 0)
  const file = `media/jt808/${PHONE}/ALARM1/${PICTURE.name}`
  assert.equal(attachments(app)[0]?.['file'], file)
  assert.deepEqual(world.outside.files.get(file), octets(10))
})

test('a connection that ends leaves an event for each file that is not complete, and no memory', async () => {
  const { world, gateway, app, terminal } = await connected({ attachments: { maxTotalBytes: '600B' } })
  terminal.send(terminal.frame({ type: 'file-begin', body: VIDEO }))
  for (let i = 0; i < 3; i++) terminal.send(packet(VIDEO.name, 100 * i, octets(100)))
  assert.equal(world.counters().get('no-memory'), 1)
  terminal.peer.hangUp()
  assert.deepEqual(
    attachments(app).map(({ name, file_error }) => [name, file_error]),
    [[VIDEO.name, 'incomplete']],
  )
  assert.equal(world.counters().get('attachment-given-up'), 1)
  const again = new Terminal(gateway.connect(), PHONE)
  again.send(again.frame({ type: 'attachment-list', body: LIST }), again.frame({ type: 'file-begin', body: VIDEO }))
  for (let i = 0; i < 2; i++) again.send(packet(VIDEO.name, 100 * i, octets(100)))
  assert.equal(world.counters().get('no-memory'), 1, 'what the first one kept is free')
})

test('who names no alarm, another phone, a stray packet and a file too large are refused and counted', async () => {
  const { world, gateway, terminal } = await connected({ attachments: { maxFileBytes: '100B' } })
  const stranger = new Terminal(gateway.connect(), PHONE)
  stranger.send(stranger.heartbeat(), packet(PICTURE.name, 0, octets(10)))
  assert.deepEqual(stranger.read(), [])
  const other = new Terminal(terminal.peer, '013900000000')
  other.send(other.frame({ type: 'file-begin', body: PICTURE }))
  terminal.send(packet('unknown', 0, octets(1)), terminal.frame({ type: 'file-begin', body: VIDEO }))
  terminal.send(terminal.frame({ type: 'file-end', body: VIDEO }), terminal.raw(0x0f00))
  terminal.send(terminal.frame({ type: 'file-begin', body: PICTURE }), packet(PICTURE.name, 8, octets(3)))
  assert.deepEqual(terminal.results(), [
    [0x1211, 1],
    [0x1212, 1],
    [0x0f00, 3],
    [0x1211, 0],
  ])
  const counted = world.counters()
  for (const [name, count] of [
    ['unauthenticated', 1],
    ['stray-packet', 2],
    ['foreign-phone', 1],
    ['file-refused', 1],
  ] as const)
    assert.equal(counted.get(name), count, name)
  assert.equal(world.malformed().get('packet-outside-file'), 1)
})

test('the broker may refuse the connection', async () => {
  const access = { authenticate: () => ({ ok: false, reason: 'bad-credentials' }) as const }
  const { gateway } = await scene({ role: 'attachments' }, new World({ access }))
  const terminal = new Terminal(gateway.connect(), PHONE)
  terminal.send(terminal.frame({ type: 'attachment-list', body: LIST }))
  assert.deepEqual(terminal.results(), [[0x1210, 1]])
})

test('it takes nothing from the session that the terminal has for its reports, and ends when it is idle', async () => {
  const world = new World()
  const reports = await scene({}, world)
  const main = Terminal.online(reports.gateway, PHONE)
  const { terminal } = await connected({ idleTimeout: '10s', auth: { timeout: '5s' } }, world)
  main.send(main.heartbeat())
  assert.equal(main.results().length, 1)
  world.advance(10_000)
  assert.equal(terminal.peer.closed, 'idle')
  assert.equal(main.peer.closed, undefined)
})

test('a packet that never ends, or says it is longer than any, is bounded', async () => {
  const { world, terminal } = await connected()
  const long = packet(PICTURE.name, 0, new Uint8Array(0))
  new DataView(long.buffer, long.byteOffset).setUint32(58, MAX_PACKET_DATA + 1)
  terminal.send(long)
  assert.equal(terminal.peer.closed, 'protocol-error')
  assert.equal(world.malformed().get('packet-too-long'), 1)
})

test('over UDP each datagram is a frame or a packet', async () => {
  const { gateway } = await scene({ role: 'attachments' })
  const terminal = new Terminal(gateway.connect({ datagram: true }), PHONE)
  terminal.send(terminal.frame({ type: 'attachment-list', body: LIST }))
  terminal.send(terminal.frame({ type: 'file-begin', body: PICTURE }))
  terminal.send(packet(PICTURE.name, 0, octets(10)).subarray(0, 40), packet(PICTURE.name, 0, octets(10)))
  terminal.send(terminal.frame({ type: 'file-end', body: PICTURE }))
  const answers = terminal.read()
  assert.equal((answers.at(-1) as Of<'file-response'>).body.result, 0)
})

test('property: frames and packets are cut alike, however the stream is cut', () => {
  const flag = Uint8Array.of(0x7e)
  const plain = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => bytes.map((octet) => (octet === 0x7e ? 0 : octet)))
  const unit = fc.oneof(
    plain.map((inside) => join(flag, inside, flag)),
    fc.uint8Array({ maxLength: 200 }).map((data) => packet('a.jpg', data.length, data)),
  )
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 8 }), fc.array(fc.nat(50), { maxLength: 40 }), (units, cuts) => {
      const stream = join(...units)
      const chunks: Uint8Array[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(stream.subarray(at, at + cut))
        at += cut
      }
      chunks.push(stream.subarray(at))
      const seen: Uint8Array[] = []
      const framer = new AttachmentFramer()
      for (const chunk of chunks)
        framer.push(chunk, {
          frame: (bytes) => void seen.push(bytes) as undefined,
          packet: ({ name, offset, data }: Packet) => void seen.push(packet(name, offset, data)),
          malformed: (error) => assert.fail(error.malformed),
        })
      assert.deepEqual(
        seen.map((one) => Buffer.from(one).toString('hex')),
        units.map((one) => Buffer.from(one).toString('hex')),
      )
      assert.equal(framer.buffered, 0)
    }),
  )
})

test('property: any octets are cut without an exception, and what waits is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (chunks) => {
      const framer = new AttachmentFramer()
      const sink = { frame: () => undefined, packet: () => {}, malformed: () => {} }
      for (const chunk of chunks) framer.push(chunk, sink)
      assert.ok(framer.buffered <= 62 + MAX_PACKET_DATA)
    }),
  )
})
