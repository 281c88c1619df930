/** A sensor that sleeps over kill -9 finds what waited for it, and its topic ids, at the next process (MQTT-SN 1.2, 6.14). */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { App } from './mqtt-app.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'
import { within } from './waiting.ts'

// MQTT-SN 1.2, 5.2.2
const CONNECT = 0x04
const CONNACK = 0x05
const REGISTER = 0x0a
const REGACK = 0x0b
const PUBLISH = 0x0c
const PUBACK = 0x0d
const SUBSCRIBE = 0x12
const SUBACK = 0x13
const PINGREQ = 0x16
const PINGRESP = 0x17
const DISCONNECT = 0x18

const QOS_1 = 0x20
const SLEEP_SECONDS = 600

type Part = number | string

/** A socket of its own; what it sends is spelled out. Each request has one answer. */
async function openSensor(port: number, t: TestContext): Promise<(type: number, ...body: readonly Part[]) => Promise<Buffer>> {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  socket.connect(port, '127.0.0.1')
  await within('the socket of the sensor', once(socket, 'connect'))
  return async (type, ...body) => {
    const octets = body.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]))
    const answer = once(socket, 'message')
    socket.send(Uint8Array.of(octets.length + 2, type, ...octets))
    const [datagram] = (await within(`the answer to message type ${type}`, answer)) as [Buffer]
    return datagram
  }
}

describe('a sleeping MQTT-SN sensor', { skip: without('mqtt', 'mqtt-sn') }, () => {
  test('wakes up after kill -9: its message and its topic ids are there', async (t) => {
    const gateways = { mqtt: { listeners: [listener('tcp')] }, 'mqtt-sn': { listeners: [listener('udp')] } }
    const server = await Server.start({ gateways }, t)
    const ask = await openSensor(server.port('mqtt-sn', 'udp'), t)
    const connack = await ask(CONNECT, 0, 1, 0, 60, 'sensor')
    assert.deepEqual([...connack], [3, CONNACK, 0])
    const suback = await ask(SUBSCRIBE, QOS_1, 0, 1, 'valve/orders')
    assert.deepEqual([suback[1], suback[7]], [SUBACK, 0])
    const orders = suback.subarray(3, 5)
    const regack = await ask(REGISTER, 0, 0, 0, 2, 'valve/state')
    assert.deepEqual([regack[1], regack[6]], [REGACK, 0])
    const state = regack.subarray(2, 4)
    assert.equal((await ask(DISCONNECT, SLEEP_SECONDS >> 8, SLEEP_SECONDS & 0xff))[1], DISCONNECT)
    const app = await App.connect(server.port('mqtt'), t)
    await app.publish('valve/orders', 'open', { qos: 1 })
    await server.kill()

    server.launchAgain()
    await server.ready()
    const reader = await (await App.connect(server.port('mqtt'), t)).subscribe('valve/state')
    const askAgain = await openSensor(server.port('mqtt-sn', 'udp'), t)
    const publish = await askAgain(PINGREQ, 'sensor')
    assert.equal(publish[1], PUBLISH, 'not registered anew: the id is remembered')
    assert.deepEqual(publish.subarray(3, 5), orders)
    assert.equal(publish.toString('utf8', 7), 'open')
    assert.deepEqual([...(await askAgain(PUBACK, ...publish.subarray(3, 7), 0))], [2, PINGRESP])
    const puback = await askAgain(PUBLISH, QOS_1, ...state, 0, 3, 'opened')
    assert.deepEqual([...puback], [7, PUBACK, ...state, 0, 3, 0])
    assert.equal((await reader.message('the reading', ({ topic }) => topic === 'valve/state')).text, 'opened')
  })
})
