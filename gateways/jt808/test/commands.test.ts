/** Commands to a terminal: each one answered exactly once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '#bytes/hex'
import { type AppClient, hex } from '#testing'
import { type Message, writeBody } from '../codec/index.ts'
import { scene } from './scene.ts'
import { Terminal } from './terminal.ts'

const TOPIC = 'devices/013812345678/down/command'

function command(app: AppClient, name: string, args: object = {}, more: object = {}, id = '42'): void {
  app.publish(TOPIC, JSON.stringify({ id, name, args, ...more }), { qos: 1 })
}

function responses(app: AppClient): unknown[] {
  return app
    .take()
    .filter((received) => received.topic.endsWith('/up/response'))
    .map((received) => received.json())
}

const ok = (id = '42') => ({ id, device: '013812345678', ok: true, result: {} })
const failed = (code: string, message: string, id = '42') => ({ id, device: '013812345678', ok: false, error: { code, message } })

test('a message goes out as GBK text and the answer comes back as a response', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  app.take()
  command(app, 'message', { text: '前方拥堵', flags: { urgent: true, display: true, tts: true } })
  const [sent] = terminal.peer.take()
  assert.equal(hex(sent as Uint8Array).slice(2, 6), '8300')
  assert.ok(hex(sent as Uint8Array).includes(`0d${'c7b0b7bdd3b5b6c2'}`))
  assert.deepEqual(responses(app), [])
  terminal.send(terminal.frame({ type: 'terminal-response', body: { seq: 1, id: 0x8300, result: 0, extra_raw: undefined } }))
  assert.deepEqual(responses(app), [ok()])
  assert.deepEqual(terminal.read(), [], 'a response is not responded to')
})

test('flags and type by edition', async () => {
  for (const [phone, args, body] of [
    ['013812345678', {}, { flag: 0x04, text_type: undefined }],
    ['013812345678', { flags: { tts: true, ad_screen: true, can_fault: true } }, { flag: 0x38, text_type: undefined }],
    ['00000000013812345678', {}, { flag: 0x07, text_type: 1 }],
    ['00000000013812345678', { type: 'service', flags: { tts: true } }, { flag: 0x09, text_type: 2 }],
    ['00000000013812345678', { flags: { urgent: true, display: true } }, { flag: 0x06, text_type: 1 }],
  ] as const) {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway, phone)
    const topic = `devices/${phone}/down/command`
    app.publish(topic, JSON.stringify({ id: '1', name: 'message', args: { text: 'hi', ...args } }), { qos: 1 })
    assert.deepEqual(terminal.one('text-message').body, { ...body, text: 'hi' })
  }
})

test('what the terminal answers decides', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  for (const [result, expected] of [
    [0, ok()],
    [1, failed('refused', 'the terminal answered that it failed')],
    [2, failed('refused', 'the terminal answered that the message is wrong')],
    [3, failed('refused', 'the terminal answered that it does not support this')],
    [9, failed('refused', 'the terminal answered 9')],
  ] as const) {
    app.take()
    command(app, 'message', { text: 'hi' })
    terminal.send(terminal.answer(terminal.one('text-message'), result))
    assert.deepEqual(responses(app), [expected])
  }
})

test('a command as soon as the terminal is seen online is answered once, also when the old connection was still there', async () => {
  const { gateway, app } = await scene({ sessionExpiry: '1h' })
  for (let id = 1; id <= 3; id++) {
    const terminal = new Terminal(gateway.connect())
    terminal.peer.send(terminal.authenticate('any'))
    const status = app.take().findLast(({ topic }) => topic.endsWith('/status'))
    assert.match(status?.text ?? '', /"online":true/)
    command(app, 'message', { text: 'hi' }, {}, String(id))
    const [welcome, sent] = terminal.read()
    assert.deepEqual([welcome?.type, sent?.type], ['platform-response', 'text-message'])
    terminal.send(terminal.answer(sent as Message, 0))
    assert.deepEqual(responses(app), [ok(String(id))])
  }
})

test('an answer to something else answers nothing', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'hi' })
  const { header, ...rest } = terminal.one('text-message')
  terminal.send(terminal.answer({ ...rest, header: { ...header, sn: header.sn + 1 } } as Message, 0))
  terminal.send(terminal.answer({ ...rest, header: { ...header, id: 0x8103 } } as Message, 0))
  assert.deepEqual(responses(app), [])
  assert.equal(world.counters().get('unmatched-response'), 2)
})

test('one command at a time; the next goes out when the first is answered', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'first' }, {}, '1')
  command(app, 'message', { text: 'second' }, {}, '2')
  const first = terminal.one('text-message')
  assert.equal(first.body.text, 'first')
  terminal.send(terminal.answer(first, 0))
  const second = terminal.one('text-message')
  assert.equal(second.body.text, 'second')
  terminal.send(terminal.answer(second, 0))
  assert.deepEqual(responses(app), [ok('1'), ok('2')])
})

test('no answer: the same frame again, after waits that grow, until the repetitions are used up', async () => {
  const { world, gateway, app } = await scene({ idleTimeout: '2h', retry: { interval: '10s', attempts: 3 } })
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'hi' }, { timeout_s: 3600 })
  const [frame] = terminal.peer.take()
  // T1 = 10, T2 = T1 * 2, T3 = T2 * 3, T4 = T3 * 4
  for (const waitMs of [10_000, 20_000, 60_000]) {
    world.advance(waitMs - 1)
    assert.deepEqual(terminal.peer.take(), [])
    world.advance(1)
    assert.deepEqual(terminal.peer.take(), [frame])
  }
  world.advance(239_999)
  assert.deepEqual(responses(app), [])
  world.advance(1)
  assert.deepEqual(terminal.peer.take(), [])
  assert.deepEqual(responses(app), [failed('timeout', 'no answer after 3 repetitions')])
  assert.equal(world.counters().get('command-repeated'), 3)
})

test('waits of equal length, where they are wanted', async () => {
  const { world, gateway, app } = await scene({ retry: { interval: '8s', backoff: 'fixed', attempts: 2 } })
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'hi' }, { timeout_s: 60 })
  terminal.read()
  for (let i = 0; i < 2; i++) {
    world.advance(7_999)
    assert.deepEqual(terminal.read(), [])
    world.advance(1)
    assert.equal(terminal.read().length, 1)
  }
  world.advance(8_000)
  assert.deepEqual(responses(app), [failed('timeout', 'no answer after 2 repetitions')])
})

test("the command's own deadline ends the waiting, and a late answer changes nothing", async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'hi' }, { timeout_s: 5 })
  const sent = terminal.one('text-message')
  world.advance(5_000)
  assert.deepEqual(responses(app), [failed('timeout', 'no answer within 5 s')])
  world.advance(60_000)
  assert.deepEqual(terminal.read(), [], 'it is not repeated any more')
  terminal.send(terminal.answer(sent, 0))
  assert.deepEqual(responses(app), [])
  assert.equal(world.counters().get('unmatched-response'), 1)
})

test('a repeated frame that is answered is answered once', async () => {
  const { world, gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: 'hi' })
  const sent = terminal.one('text-message')
  world.advance(10_000)
  terminal.send(terminal.answer(sent, 0), terminal.answer(sent, 0))
  assert.deepEqual(responses(app), [ok()])
})

test('a connection that ends answers what is pending and what waits', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  for (const id of ['1', '2', '3']) command(app, 'message', { text: id }, {}, id)
  app.take()
  terminal.peer.hangUp()
  const answers = responses(app) as { id: string; ok: boolean; error: { code: string } }[]
  assert.deepEqual(answers.map(({ id, error }) => [id, error.code]).sort(), [
    ['1', 'offline'],
    ['2', 'offline'],
    ['3', 'offline'],
  ])
})

test('a terminal that is not there answers nothing, and the application learns it', async () => {
  const { gateway, app } = await scene()
  command(app, 'message', { text: 'hi' })
  assert.deepEqual(responses(app), [failed('offline', 'the device is not connected')])
  Terminal.online(gateway).peer.hangUp()
  app.take()
  command(app, 'message', { text: 'hi' })
  assert.equal((responses(app) as { error: { code: string } }[])[0]?.error.code, 'offline')
})

test('what cannot be sent is answered at once', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  for (const [name, args, code] of [
    ['open-doors', {}, 'unsupported'],
    ['jt808.82', {}, 'unsupported'],
    ['jt808.0200', {}, 'unsupported'],
    ['jt808.F001', { hex: 'abc' }, 'bad-request'],
    ['jt808.F001', {}, 'bad-request'],
    ['jt808.8202', { period: 5 }, 'bad-request'],
    ['jt808.8105', { command: 1, param: 7 }, 'bad-request'],
    ['jt808.8302', { flag: 0, question: '堵'.repeat(200), answers: [] }, 'bad-request'],
    ['reboot', { now: true }, 'bad-request'],
    ['locate', { x: 1 }, 'bad-request'],
    ['interval', { interval_s: 70_000 }, 'bad-request'],
    ['read', { parameters: [] }, 'bad-request'],
    ['read', { parameters: ['colour'] }, 'not-found'],
    ['write', { parameters: {} }, 'bad-request'],
    ['write', { parameters: { report_interval_s: 'often' } }, 'bad-request'],
    ['write', { parameters: { colour: 1 } }, 'not-found'],
    ['toString', {}, 'unsupported'],
    ['message', {}, 'bad-request'],
    ['message', { text: '' }, 'bad-request'],
    ['message', { text: 'hi', color: 'red' }, 'bad-request'],
    ['message', { text: 'hi', flags: { loud: true } }, 'bad-request'],
    ['message', { text: '堵'.repeat(600_000) }, 'too-large'],
  ] as const) {
    app.take()
    command(app, name, args)
    const answers = responses(app) as { error: { code: string } }[]
    assert.deepEqual(
      answers.map(({ error }) => error.code),
      [code],
      `${name} ${JSON.stringify(args).slice(0, 40)}`,
    )
    assert.deepEqual(terminal.read(), [])
  }
})

test('the longest text that fits is sent', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  command(app, 'message', { text: '堵'.repeat(511) })
  assert.equal(terminal.one('text-message').header.length, 1023)
})

test('serial numbers of the platform start again after 65535', async () => {
  const { gateway, app } = await scene()
  const terminal = Terminal.online(gateway)
  for (let i = 1; i < 65_536; i++)
    terminal.peer.wire.receive(terminal.frame({ type: 'heartbeat', body: { extra_raw: undefined } }, { sn: i }))
  assert.equal(terminal.peer.take().length, 65_535)
  command(app, 'message', { text: 'hi' })
  const sent = terminal.one('text-message')
  assert.equal(sent.header.sn, 0)
  app.take()
  terminal.send(terminal.answer(sent, 0))
  assert.deepEqual(responses(app), [ok()])
})

test('doors are locked and opened by name: the number says the opposite in 2013 and 2019', async () => {
  for (const [phone, lock, body] of [
    ['013812345678', true, '01'],
    ['013812345678', false, '00'],
    ['00000000013812345678', true, '0001000100'],
    ['00000000013812345678', false, '0001000101'],
  ] as const) {
    const { gateway, app } = await scene()
    const terminal = Terminal.online(gateway, phone)
    const json = JSON.stringify({ id: '42', name: 'jt808.doors', args: { lock } })
    app.publish(`devices/${phone}/down/command`, json, { qos: 1 })
    const message = terminal.one('vehicle-control')
    assert.equal(toHex(writeBody(message, terminal.form)), body)
  }
})
