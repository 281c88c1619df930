/** Terminals that a service of the operator admits: a real HTTP server beside the gateway. */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'
import { bytesOf, FRAMES, frameOf, PHONE, Terminal } from './terminal.ts'

interface Question {
  readonly path: string
  readonly json: Record<string, unknown>
}

test('a terminal registers and authenticates at HTTP services', { skip: without('jt808') }, async (t) => {
  const questions: Question[] = []
  let decide = (_path: string, response: ServerResponse): unknown => response.end()
  const services = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      questions.push({ path, json: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> })
      decide(path, response)
    })
  })
  await new Promise<void>((resolve) => services.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    services.closeAllConnections()
    services.close()
  })
  const base = `http://127.0.0.1:${(services.address() as AddressInfo).port}`
  const server = await Server.start(
    {
      gateways: {
        trucks: {
          use: 'jt808',
          listeners: [listener('tcp')],
          auth: {
            mode: 'http',
            registry: { url: `${base}/registry` },
            authentication: { url: `${base}/auth`, timeout: '100ms' },
          },
        },
      },
    },
    t,
  )
  const port = server.port('trucks')

  decide = (_path, response) => response.end('{"code":0,"authcode":"424242"}')
  await Terminal.signOn(port, t)
  assert.deepEqual(questions, [
    {
      path: '/registry',
      json: {
        province: 44,
        city: 300,
        manufacturer: '70111',
        model: 'MODEL-A',
        dev_id: 'ID00001',
        color: 1,
        license_number: '粤B12345',
        phone: PHONE,
      },
    },
  ])

  const later = new Terminal(await TcpPeer.open(port, t))
  decide = () => {}
  later.peer.send(frameOf(0x0102, 7, Buffer.from('424242')))
  await later.frame(0x8001)
  assert.equal(later.resultOf(0x0102, 7), 'result 1', 'a service that is silent admits nobody')
  decide = (_path, response) => response.writeHead(500).end('{"code":0,"authcode":"1"}')
  later.peer.send(bytesOf(FRAMES.register))
  const refused = await later.frame(0x8100)
  assert.deepEqual([...refused.body], [0, 2, 1])
  decide = (_path, response) => response.end()
  later.peer.send(frameOf(0x0102, 9, Buffer.from('424242')))
  await later.acknowledged(0x0102, 9)
  assert.deepEqual(questions.at(-1), { path: '/auth', json: { code: '424242', phone: PHONE } })
})
