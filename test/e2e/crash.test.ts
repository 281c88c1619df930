/**
 * The process is killed at random moments while MQTT.js clients publish and receive at QoS 1 and 2. What was
 * acknowledged is there afterwards. OMNIGATE_CRASH_KILLS, OMNIGATE_CRASH_SEED and OMNIGATE_CRASH_DURABILITY make other runs.
 */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stage } from './crash-actors.ts'
import { Fickle, Publisher, Retainer, receive } from './crash-actors.ts'
import { Ledger, told } from './crash-ledger.ts'
import type { DurableClient } from './durable-client.ts'
import { freePort } from './free-port.ts'
import { without } from './needs.ts'
import { seededRandom } from './random.ts'
import { listener, Server } from './server.ts'
import { until } from './waiting.ts'

const KILLS = Number(process.env['OMNIGATE_CRASH_KILLS'] ?? 50)
const SEED = Number(process.env['OMNIGATE_CRASH_SEED'] ?? 20_260_101)
const DURABILITY = process.env['OMNIGATE_CRASH_DURABILITY'] ?? 'os'
/** How long a server runs before it is killed, at most. */
const LIFE_MS = 400
/** One in so many is killed while it starts. */
const EARLY_KILLS = 6
const AWAY_MS = 300
/** Small windows: much of what is delivered waited in a queue first. */
const SESSION = { maxInflight: 6, maxQueued: 1_000_000, maxQueuedBytes: '256MiB' }

/** The moment at which an acknowledgement has just left, or just arrived. */
async function nextPacket({ client }: DurableClient): Promise<void> {
  const arrived = new Promise((resolve) => client.once('packetreceive', resolve))
  await Promise.race([arrived, pause(AWAY_MS)])
}

async function killed(t: TestContext): Promise<string[]> {
  const random = seededRandom(SEED)
  const port = await freePort()
  const server = await Server.start(
    {
      node: { durability: DURABILITY },
      gateways: { mqtt: { listeners: [listener('tcp', { bind: `127.0.0.1:${port}` })], session: SESSION } },
    },
    t,
  )
  // The moments of the kills are the same in every run; what the actors do depends on answers, too.
  const stage: Stage = { port, random: seededRandom(SEED + 1), ledger: new Ledger(), cleanup: t }
  const { ledger } = stage
  const receivers = [
    await receive(stage, { name: 'steady-1', qos: 1 }, 4),
    await receive(stage, { name: 'steady-2', qos: 2 }, 5),
    await receive(stage, { name: 'restless-1', qos: 1 }, 5),
    await receive(stage, { name: 'restless-2', qos: 2 }, 4),
    await receive(stage, { name: 'member-1', qos: 2, group: 'group' }, 5),
    await receive(stage, { name: 'member-2', qos: 2, group: 'group' }, 4),
  ]
  const publishers = [
    new Publisher(stage, 'publisher-1', 4, 1),
    new Publisher(stage, 'publisher-2', 5, 1),
    new Publisher(stage, 'publisher-3', 4, 2),
    new Publisher(stage, 'publisher-4', 5, 2),
  ]
  const fickle = new Fickle(stage, 'fickle')
  const retainer = new Retainer(stage, 'retainer')
  const clients = [...receivers, ...publishers.map(({ durable }) => durable), fickle.durable, retainer.durable]
  for (const client of clients) await client.ready()

  for (let kills = 0; kills < KILLS; kills++) {
    await pause(random() * LIFE_MS)
    if (random() < 0.5) await nextPacket(clients[Math.floor(random() * clients.length)] as DurableClient)
    await server.kill()
    server.launchAgain()
    if (random() * EARLY_KILLS < 1) {
      await pause(random() * LIFE_MS)
      continue
    }
    await server.ready()
    await retainer.check()
    const restless = receivers[2 + Math.floor(random() * 4)] as DurableClient
    if (random() < 0.5) restless.leave(AWAY_MS * random())
  }
  if (!server.child.alive) server.launchAgain()

  for (const actor of [...publishers, retainer]) actor.stop()
  await fickle.stop()
  await until(
    () => `the end of what is under way\n${server.child.story}`,
    () => [...publishers, retainer].every(({ outstanding }) => outstanding === 0),
  )
  await until('the last messages', () => ledger.missing().length === 0).catch(() => {}) // `faults` tells which
  await retainer.check()
  t.diagnostic(`${KILLS} kills, seed ${SEED}: ${ledger.acknowledged} messages acknowledged, ${fickle.changes} changes`)
  assert.ok(ledger.acknowledged > KILLS * 10, `only ${ledger.acknowledged} messages were acknowledged`)
  assert.ok(fickle.changes > KILLS, `only ${fickle.changes} subscriptions were changed`)
  return [
    ...ledger.faults(),
    ...told(
      'session not there',
      clients.flatMap(({ id, lostSessions }) => Array.from({ length: lostSessions }, () => id)),
    ),
    ...told('subscriptions', fickle.faults),
    ...told('retained', retainer.faults),
    ...told(
      'publish refused',
      publishers.flatMap(({ refusals }) => refusals),
    ),
  ]
}

describe('kill -9', { skip: without('mqtt') }, () => {
  test(`${KILLS} times: nothing acknowledged is lost, nothing of QoS 2 comes twice`, async (t) => {
    assert.deepEqual(await killed(t), [], `OMNIGATE_CRASH_SEED=${SEED} OMNIGATE_CRASH_KILLS=${KILLS}`)
  })
})
