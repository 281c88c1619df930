/** HTTP services as gateways ask them: a real server on loopback that answers well, badly, late or not at all. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Services } from '../../../src/runtime/services.ts'
import type { Answer, Service } from '../../../src/sdk.ts'

type Handler = (body: string, response: ServerResponse, request: IncomingMessage) => void

async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => handler(body, response, request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function service(url: string, more: Partial<Service> = {}): Service {
  return { url, timeoutMs: 30_000, maxConcurrent: 2, maxWaiting: 2, maxAnswerBytes: 1024, ...more }
}

function counting(): { services: Services; counted: string[] } {
  const counted: string[] = []
  return { services: new Services({ count: (name) => void counted.push(name) }), counted }
}

function ask(services: Services, to: Service, question: unknown = {}): Promise<Answer> {
  return new Promise((resolve) => services.ask('registry', to, question, resolve))
}

test('a question is posted as JSON, and the answer handed on whatever its status', async (t) => {
  const url = await serve(t, (body, response, request) => {
    response.writeHead(409, { 'x-method': request.method ?? '' })
    response.end(`${request.method} ${request.headers['content-type']} ${body}`)
  })
  const { services, counted } = counting()
  const answer = await ask(services, service(url), { phone: '013812345678', plate: '沪B' })
  assert.deepEqual(answer, {
    ok: true,
    status: 409,
    text: 'POST application/json {"phone":"013812345678","plate":"沪B"}',
  })
  assert.deepEqual(counted, [])
})

test('nobody there, too late, too long, a redirection: each has its reason and is counted', async (t) => {
  const silent = await serve(t, () => {})
  const endless = await serve(t, (_body, response) => {
    response.writeHead(200)
    response.write('x'.repeat(4096))
  })
  const elsewhere = await serve(t, (_body, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/' })
    response.end()
  })
  const { services, counted } = counting()
  assert.deepEqual(await ask(services, service('http://127.0.0.1:1/')), { ok: false, reason: 'unreachable' })
  assert.deepEqual(await ask(services, service(silent, { timeoutMs: 50 })), { ok: false, reason: 'timeout' })
  assert.deepEqual(await ask(services, service(endless)), { ok: false, reason: 'too-large' })
  assert.deepEqual(await ask(services, service(elsewhere)), { ok: false, reason: 'unreachable' })
  assert.deepEqual(counted, ['service-unreachable', 'service-timeout', 'service-too-large', 'service-unreachable'])
})

test('so many questions at once, so many in line, the rest is told that the line is full', async (t) => {
  const held: ServerResponse[] = []
  let arrived: () => void = () => {}
  const url = await serve(t, (_body, response) => {
    held.push(response)
    arrived()
  })
  const untilHeld = async (count: number): Promise<void> => {
    while (held.length < count) await new Promise<void>((resolve) => (arrived = resolve))
  }
  const { services, counted } = counting()
  const answers = Array.from({ length: 5 }, () => ask(services, service(url)))
  assert.deepEqual(await answers[4], { ok: false, reason: 'busy' })
  await untilHeld(2)
  assert.equal(held.length, 2, 'two are under way')
  for (let i = 0; i < 4; i++) {
    await untilHeld(i + 1)
    held[i]?.end('ok')
  }
  for (const answer of answers.slice(0, 4)) assert.deepEqual(await answer, { ok: true, status: 200, text: 'ok' })
  assert.deepEqual(counted, ['service-busy'])
})

test('an answer never comes before the question has been asked', async () => {
  const { services } = counting()
  let answered = false
  const full = service('http://127.0.0.1:1/', { maxConcurrent: 1, maxWaiting: 0 })
  const first = ask(services, full)
  const second = new Promise<void>((resolve) =>
    services.ask('registry', full, {}, () => {
      answered = true
      resolve()
    }),
  )
  assert.equal(answered, false)
  await second
  await first
})
