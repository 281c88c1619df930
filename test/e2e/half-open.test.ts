/** Ten thousand connections that never say who they are: the process stays small, serves the others, and closes them in time. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Sys } from './mqtt-app.ts'
import { without } from './needs.ts'
import { Pair } from './pair.ts'
import { listener, Server } from './server.ts'
import { TcpPeer } from './tcp-peer.ts'
import { until } from './waiting.ts'

const COUNT = 10_000
/** Opened at once; the kernel's queue of connections that wait to be accepted is longer. */
const BATCH = 500
/** Generous: what Node.js itself holds for a socket is most of it. */
const MAX_BYTES_EACH = 24 * 1024

/** For `skip`: one process must be able to hold the connections, and the other as well. */
function tooFewDescriptors(): string | false {
  const hard = Number(/^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 0)
  return Number.isNaN(hard) || hard >= COUNT + 1000 ? false : `a process may open only ${hard} files`
}

test(`${COUNT} half-open connections`, { skip: without('mqtt') || tooFewDescriptors() }, async (t) => {
  const gateways = {
    mqtt: { connectTimeout: '12s', listeners: [listener('tcp', { name: 'tcp', limits: { maxConnectRate: 0 } })] },
  }
  const server = await Server.start({ gateways }, t)
  const port = server.port('mqtt')
  const pair = await Pair.start(port, t)
  await pair.advance(20)
  const restBytes = server.rssBytes()
  const peers: TcpPeer[] = []
  for (let opened = 0; opened < COUNT; opened += BATCH) {
    peers.push(...(await Promise.all(Array.from({ length: BATCH }, () => TcpPeer.open(port, t)))))
    await pair.advance(1)
  }
  const fullBytes = server.rssBytes()
  assert.ok((await Sys.read(port)).at('gateways/mqtt/listeners/tcp/current') >= COUNT, 'all are open at once')
  assert.ok(
    fullBytes - restBytes < COUNT * MAX_BYTES_EACH,
    `${Math.round((fullBytes - restBytes) / COUNT)} bytes for each connection`,
  )
  await until(
    () => `all to be closed; open are ${peers.filter(({ closed }) => !closed).length}`,
    () => peers.every(({ closed }) => closed),
  )
  await pair.advance(20)
  await pair.stop()
  const sys = await Sys.read(port)
  assert.equal(sys.at('gateways/mqtt/sessions/closed/connect-timeout'), COUNT)
  assert.ok(sys.at('gateways/mqtt/listeners/tcp/accepted') >= COUNT)
  assert.ok(sys.at('gateways/mqtt/sessions/open') <= 3, 'nothing is left of them')
  assert.equal(sys.at('gateways/mqtt/sessions/faults'), 0)
})
