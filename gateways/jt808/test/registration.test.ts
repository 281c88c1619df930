/** Registration and authentication decided by HTTP services: results, codes, and what a service that fails does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '#sdk'
import { type ServiceDouble, World } from '#testing'
import { join, scene, seen } from './scene.ts'
import { Terminal } from './terminal.ts'

const HTTP = {
  auth: {
    mode: 'http',
    registry: { url: 'http://127.0.0.1:1/registry' },
    authentication: { url: 'http://127.0.0.1:1/authentication' },
  },
}

function said(json: unknown, status = 200): Answer {
  return { ok: true, status, text: typeof json === 'string' ? json : JSON.stringify(json) }
}

async function withServices(services: ServiceDouble) {
  return scene(HTTP, new World({ services }))
}

test('the registry is asked with the registration and the phone; its code is the one that counts', async () => {
  const questions: unknown[] = []
  const { gateway, app } = await withServices((service, question) => {
    questions.push([service, question])
    return said({ code: 0, authcode: '123456' })
  })
  const terminal = new Terminal(gateway.connect())
  terminal.send(terminal.register())
  const { seq, result, auth_code } = terminal.one('register-response').body
  assert.deepEqual([seq, result, auth_code], [0, 0, '123456'])
  terminal.send(terminal.authenticate('654321'), terminal.authenticate('123456'))
  assert.deepEqual(terminal.results(), [
    [0x0102, 1],
    [0x0102, 0],
  ])
  assert.deepEqual(questions, [
    [
      'registry',
      {
        province: 31,
        city: 115,
        manufacturer: '70111',
        model: 'MODEL-A',
        dev_id: 'ID00001',
        color: 1,
        license_number: '沪B12345',
        phone: '013812345678',
      },
    ],
  ])
  assert.deepEqual(seen(app), ['online', 'registered', 'authenticated'])
})

for (const [result, why] of [
  [1, 'the vehicle is registered already'],
  [2, 'there is no such vehicle'],
  [3, 'the terminal is registered already'],
  [4, 'there is no such terminal'],
] as const) {
  test(`result ${result} of the registry, ${why}, is handed on without a code`, async () => {
    const { world, gateway, app } = await withServices(() => said({ code: result, authcode: 'no' }))
    const terminal = new Terminal(gateway.connect())
    terminal.send(terminal.register())
    const { body } = terminal.one('register-response')
    assert.deepEqual([body.result, body.auth_code], [result, ''])
    assert.equal(world.counters().get('registration-refused'), 1)
    assert.deepEqual(seen(app), [])
  })
}

test('a registry that fails, or says what cannot be, refuses with result 1 and is counted', async () => {
  const failures: Answer[] = [
    { ok: false, reason: 'timeout' },
    { ok: false, reason: 'unreachable' },
    said({ code: 0, authcode: 'x' }, 500),
    said('<html>'),
    said({ code: 5 }),
    said({ code: 0 }),
    said({ code: 0, authcode: 'x'.repeat(201) }),
    said('null'),
  ]
  const answers = [...failures]
  const { world, gateway } = await withServices(() => answers.shift() as Answer)
  const terminal = new Terminal(gateway.connect())
  for (const failure of failures) {
    terminal.send(terminal.register())
    const { body } = terminal.one('register-response')
    assert.deepEqual([body.result, body.auth_code], [1, ''], JSON.stringify(failure))
  }
  assert.equal(world.counters().get('registration-undecided'), failures.length)
})

test('a terminal that has its code from earlier is asked about at the authentication service', async () => {
  const questions: unknown[] = []
  const { world, gateway } = await withServices((service, question) => {
    questions.push([service, question])
    const { code } = question as { code: string }
    if (code === 'down') return { ok: false, reason: 'timeout' }
    return said('', code === 'good' ? 200 : 401)
  })
  const terminal = new Terminal(gateway.connect(), '00000000013812345678')
  for (const code of ['bad', 'down', 'good']) terminal.send(terminal.authenticate(code))
  assert.deepEqual(terminal.results(), [
    [0x0102, 1],
    [0x0102, 1],
    [0x0102, 0],
  ])
  assert.deepEqual(questions[0], ['authentication', { code: 'bad', phone: '00000000013812345678' }])
  assert.equal(world.counters().get('auth-refused'), 2)
})

test('what follows a question waits for its answer, and a session that ended meanwhile is let go', async () => {
  const answers: ((answer: Answer) => void)[] = []
  const services: ServiceDouble = () => new Promise((resolve) => answers.push(resolve))
  const { world, gateway, app } = await withServices(services)
  const answer = async (value: Answer) => {
    answers.shift()?.(value)
    await new Promise(setImmediate)
    world.settle()
  }
  const terminal = new Terminal(gateway.connect())
  terminal.send(join(terminal.register(), terminal.authenticate('123456'), terminal.location()))
  terminal.send(terminal.heartbeat())
  assert.deepEqual(terminal.read(), [])
  await answer(said({ code: 0, authcode: '123456' }))
  assert.deepEqual(
    terminal.read().map(({ type }) => type),
    ['register-response', 'platform-response', 'platform-response', 'platform-response'],
  )
  assert.deepEqual(seen(app), ['online', 'registered', 'authenticated', 'location'])

  const gone = new Terminal(gateway.connect(), '013900000000')
  gone.send(gone.register())
  gone.peer.hangUp()
  await answer(said({ code: 0, authcode: '1' }))
  assert.deepEqual(gone.read(), [])
  assert.equal(world.faults(), 0)
})

test('over UDP the same', async () => {
  const { gateway } = await withServices((service) => (service === 'registry' ? said({ code: 0, authcode: '7' }) : said('')))
  const terminal = new Terminal(gateway.connect({ datagram: true }))
  terminal.send(terminal.register(), terminal.authenticate('7'), terminal.heartbeat())
  assert.equal(terminal.read().length, 3)
})

test('a connected terminal that registers again is decided on again', async () => {
  const results = [2, 0]
  const { gateway, app } = await withServices((service) =>
    service === 'registry' ? said({ code: results.shift(), authcode: '8' }) : said(''),
  )
  const terminal = Terminal.online(gateway)
  app.take()
  terminal.send(terminal.register(), terminal.register())
  assert.deepEqual(
    terminal.read().map((message) => (message.type === 'register-response' ? message.body.result : message.type)),
    [2, 0],
  )
  assert.deepEqual(seen(app), ['registered'])
})
