/** Long messages of a terminal and to it: parts acknowledged, asked for, sent again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AppClient } from '#testing'
import { type Draft, type HeaderForm, messageId, type Of, writeBody } from '../codec/index.ts'
import { scene } from './scene.ts'
import { HERE, Terminal } from './terminal.ts'

/** The frames of a message in parts of `octets`. */
function parts(terminal: Terminal, draft: Draft, octets: number): Uint8Array[] {
  const body = writeBody(draft, terminal.form)
  const total = Math.ceil(body.length / octets)
  return Array.from({ length: total }, (_, i) =>
    terminal.raw(messageId(draft), body.subarray(i * octets, (i + 1) * octets), { part: { total, sn: i + 1 } }),
  )
}

function events(app: AppClient): { type: string; data: Record<string, unknown> }[] {
  return app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/event'))
    .map((received) => received.json() as { type: string; data: Record<string, unknown> })
}

const LONG = Uint8Array.from({ length: 100 }, (_, i) => i)
const waybill: Draft = { type: 'waybill', body: { data: LONG } }
const media: Draft = {
  type: 'media-data',
  body: { id: 77, type: 0, format: 0, event: 0, channel: 1, location: HERE, multimedia: LONG },
}

test('parts are acknowledged one by one, the last with the whole', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(...parts(terminal, waybill, 40))
  assert.deepEqual(terminal.results(), [
    [0x0701, 0],
    [0x0701, 0],
    [0x0701, 0],
  ])
  assert.deepEqual(
    events(app).map(({ type, data }) => [type, data['data']]),
    [['waybill', Buffer.from(LONG).toString('base64')]],
  )
})

test('text whose characters fall into two parts, two chunks, or both, is whole', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  const plate: Draft = { type: 'parameters-reply', body: { seq: 9, params: [{ id: 0x83, value: '沪B前方拥堵' }] } }
  for (let octets = 7; octets < 20; octets++) {
    app.take()
    const stream = Buffer.concat(parts(terminal, plate, octets))
    for (const octet of stream) terminal.send(Uint8Array.of(octet))
    assert.deepEqual(
      events(app).map(({ data }) => data['params']),
      [[{ id: 0x83, value: '沪B前方拥堵' }]],
    )
  }
})

test('media is acknowledged as a whole, with 0x8800', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const frames = parts(terminal, media, 50)
  terminal.send(...frames)
  assert.deepEqual(terminal.one('media-response').body, {
    mm_id: 77,
    length: undefined,
    retx_ids: undefined,
    extra_raw: undefined,
  })
  const [event] = events(app)
  assert.equal(event?.type, 'media')
  terminal.send(frames[1] as Uint8Array)
  assert.deepEqual(terminal.read(), [], 'a part that comes again changes nothing')
  assert.deepEqual(events(app), [])
})

for (const [phone, form] of [
  ['013812345678', '2013'],
  ['00000000013812345678', '2019'],
] as readonly (readonly [string, HeaderForm])[]) {
  test(`${form}: missing parts are asked for, and the message is complete with them`, async () => {
    const { world, gateway, app } = await scene()
    const terminal = Terminal.online(gateway, phone)
    app.take()
    const frames = parts(terminal, waybill, 20)
    terminal.send(frames[0] as Uint8Array, frames[3] as Uint8Array)
    terminal.read()
    world.advance(4_999)
    assert.deepEqual(terminal.read(), [])
    world.advance(1)
    const ask = terminal.one('platform-resend')
    assert.deepEqual([ask.body.seq, ask.body.ids], [1, [2, 3, 5, 6]])
    for (const part of ask.body.ids) terminal.send(frames[part - 1] as Uint8Array)
    terminal.read()
    assert.deepEqual(
      events(app).map(({ data }) => data['data']),
      [Buffer.from(LONG).toString('base64')],
    )
    assert.equal(world.counters().get('parts-asked-for'), 4)
  })
}

test('missing parts of media are asked for with 0x8800', async () => {
  const { world, gateway } = await scene()
  const terminal = Terminal.online(gateway)
  const frames = parts(terminal, media, 50)
  terminal.send(frames[0] as Uint8Array)
  world.advance(5_000)
  const { body } = terminal.one('media-response')
  assert.deepEqual([body.mm_id, body.retx_ids], [77, [2, 3]])
  terminal.send(...frames.slice(1))
  assert.equal(terminal.one('media-response').body.retx_ids, undefined)
})

test('what never comes is given up, and late parts begin anew', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  const frames = parts(terminal, waybill, 40)
  terminal.send(frames[0] as Uint8Array)
  terminal.read()
  world.advance(60_000)
  assert.deepEqual(
    terminal.read().map(({ type }) => type),
    ['platform-resend', 'platform-resend', 'platform-resend'],
  )
  assert.equal(world.counters().get('assembly-given-up'), 1)
  app.take()
  terminal.send(...frames)
  assert.equal(events(app).length, 1)
})

test('a terminal of 2011 is not asked: it does not know the message', async () => {
  const { world, gateway } = await scene()
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register({ edition: '2011' }), terminal.authenticate('any'))
  terminal.read()
  terminal.send(parts(terminal, waybill, 40)[0] as Uint8Array)
  terminal.read()
  world.advance(60_000)
  assert.deepEqual(terminal.read(), [])
  assert.equal(world.counters().get('assembly-given-up'), 1)
})

test('parts that cannot be are answered and counted', async () => {
  const { world, gateway } = await scene({ parts: { maxBytes: '50B', maxTotalBytes: '320B' } })
  const terminal = Terminal.online(gateway)
  const part = (total: number, sn: number, octets = 1) => terminal.raw(0x0900, new Uint8Array(octets), { part: { total, sn } })
  terminal.send(part(0, 0), part(2, 3), part(65_535, 1), part(2, 1, 51), part(2, 1, 40))
  assert.deepEqual(terminal.results(), [
    [0x0900, 2],
    [0x0900, 2],
    [0x0900, 1],
    [0x0900, 1],
    [0x0900, 0],
  ])
  terminal.send(terminal.raw(0x0901, new Uint8Array(30), { part: { total: 2, sn: 1 } }))
  assert.deepEqual(terminal.results(), [[0x0901, 1]])
  assert.equal(world.malformed().get('bad-part'), 2)
  for (const reason of ['too-many-parts', 'message-too-long', 'no-memory']) assert.equal(world.counters().get(reason), 1, reason)
})

test('property: any order, repetition and loss of parts gives the same event once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1 }),
      fc.array(fc.nat(5), { maxLength: 6 }),
      fc.boolean(),
      async (order, repeated, isMedia) => {
        const { world, gateway, app } = await scene()
        const terminal = Terminal.online(gateway)
        app.take()
        const draft = isMedia ? media : waybill
        const frames = parts(terminal, draft, isMedia ? 23 : 18)
        assert.equal(frames.length, 6)
        const sent = [...order, ...repeated.filter((index) => order.includes(index))]
        for (const index of sent) terminal.send(frames[index] as Uint8Array)
        for (let round = 0; round < 3; round++) {
          world.advance(5_000)
          for (const message of terminal.read()) {
            if (message.type === 'platform-resend') {
              for (const id of message.body.ids) terminal.send(frames[id - 1] as Uint8Array)
            } else if (message.type === 'media-response') {
              for (const id of message.body.retx_ids ?? []) terminal.send(frames[id - 1] as Uint8Array)
            }
          }
        }
        const published = events(app)
        assert.equal(published.length, 1)
        assert.equal(world.counters().get('assembly-given-up'), undefined)
      },
    ),
    { numRuns: 60 },
  )
})

// ---- down ----------------------------------------------------------------------------------------------------------

const UPGRADE = { type: 0, manufacturer: '70111', version: 'V2', firmware: Buffer.alloc(2500, 0x7e).toString('base64') }

function upgrade(app: AppClient, more: object = {}): void {
  app.publish(
    'devices/013812345678/down/command',
    JSON.stringify({ id: '42', name: 'jt808.8108', args: { ...UPGRADE, ...more } }),
    { qos: 1 },
  )
}

function response(app: AppClient): { ok: boolean; error?: { code: string } } | undefined {
  return app
    .take()
    .filter(({ topic }) => topic.endsWith('/up/response'))
    .map((received) => received.json() as { ok: boolean })[0]
}

function acknowledge(terminal: Terminal, ...frames: { header: { sn: number; id: number } }[]): void {
  for (const { header } of frames) {
    terminal.send(
      terminal.frame({ type: 'terminal-response', body: { seq: header.sn, id: header.id, result: 0, extra_raw: undefined } }),
    )
  }
}

test('what is too long for a frame goes down in parts with consecutive numbers', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  upgrade(app)
  const sent = terminal.read() as Of<'opaque'>[]
  assert.deepEqual(
    sent.map(({ header }) => [header.id, header.sn, header.part]),
    [1, 2, 3].map((part) => [0x8108, part, { total: 3, sn: part }]),
  )
  assert.equal(Buffer.concat(sent.map(({ body }) => body)).length, 1 + 5 + 1 + 2 + 4 + 2500)
  acknowledge(terminal, sent[0] as Of<'opaque'>, sent[1] as Of<'opaque'>)
  assert.equal(response(app), undefined, 'it does not have all of it yet')
  acknowledge(terminal, sent[2] as Of<'opaque'>)
  assert.equal(response(app)?.ok, true)
})

test('only parts that are not acknowledged are repeated; one refused ends it', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  upgrade(app)
  const sent = terminal.peer.take()
  terminal.send(terminal.frame({ type: 'terminal-response', body: { seq: 1, id: 0x8108, result: 0, extra_raw: undefined } }))
  world.advance(10_000)
  assert.deepEqual(terminal.peer.take(), sent.slice(1))
  terminal.send(terminal.frame({ type: 'terminal-response', body: { seq: 2, id: 0x8108, result: 1, extra_raw: undefined } }))
  assert.equal(response(app)?.error?.code, 'refused')
})

test('a 2019 terminal asks for parts again with 0x0005', async () => {
  const phone = '00000000013812345678'
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway, phone)
  app.publish(`devices/${phone}/down/command`, JSON.stringify({ id: '42', name: 'jt808.8108', args: UPGRADE }), { qos: 1 })
  const sent = terminal.peer.take()
  terminal.send(terminal.frame({ type: 'terminal-resend', body: { seq: 1, ids: [3, 1, 9, 1] } }))
  assert.deepEqual(terminal.peer.take(), [sent[2], sent[0]])
  terminal.send(terminal.frame({ type: 'terminal-resend', body: { seq: 7, ids: [1] } }))
  assert.deepEqual(terminal.peer.take(), [])
  assert.equal(world.counters().get('unmatched-resend'), 1)
})

test('parts are kept until the terminal has acknowledged each of them, or refused the message', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  const asked = (): number => {
    terminal.send(terminal.frame({ type: 'terminal-resend', body: { seq: first, ids: [2] } }))
    return terminal.peer.take().length
  }
  let first = 1
  upgrade(app)
  const sent = terminal.read() as Of<'opaque'>[]
  acknowledge(terminal, sent[0] as Of<'opaque'>, sent[2] as Of<'opaque'>)
  assert.equal(response(app)?.ok, true, 'the last part was acknowledged for all')
  assert.equal(asked(), 1, 'and yet one of them is missing')
  upgrade(app)
  const again = terminal.read() as Of<'opaque'>[]
  first = again[0]?.header.sn ?? 0
  acknowledge(terminal, again[0] as Of<'opaque'>, again[1] as Of<'opaque'>)
  assert.equal(asked(), 1)
  acknowledge(terminal, again[2] as Of<'opaque'>)
  assert.equal(asked(), 0)
  assert.equal(world.counters().get('unmatched-resend'), 1)
})
