/** MQTT 3.1, 3.1.1 and 5.0 with mosquitto's own clients. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { MOSQUITTO, publish, Subscriber, unique } from './mosquitto-client.ts'
import { lacking } from './program.ts'

const skip = without('mqtt') || lacking(...MOSQUITTO)

let server: Server
let port = 0

describe('mosquitto_pub and mosquitto_sub', { skip }, () => {
  before(async () => {
    server = await Server.start({ gateways: { mqtt: { listeners: [listener('tcp')] } } })
    port = server.port('mqtt')
  })
  after(() => server.stop())

  for (const version of ['mqttv31', 'mqttv311', 'mqttv5'] as const) {
    describe(version, () => {
      for (const qos of [0, 1, 2] as const) {
        test(`QoS ${qos}: each line arrives once, in order, with its QoS`, async (t) => {
          const topic = unique()
          const subscriber = await Subscriber.open(port, version, ['-t', topic, '-q', '2'], t)
          const lines = Array.from({ length: 50 }, (_, i) => `${i}`)
          await publish(port, version, ['-t', topic, '-q', String(qos), '-l'], `${lines.join('\n')}\n`)
          await publish(port, version, ['-t', topic, '-q', String(qos), '-m', 'last'])
          const messages = await subscriber.received(51)
          assert.deepEqual(
            messages,
            [...lines, 'last'].map((text) => ({ topic, qos, retain: false, text })),
          )
        })
      }

      test('a retained message comes to whoever subscribes later, until it is cleared', async (t) => {
        const root = unique()
        await publish(port, version, ['-t', `${root}/a`, '-m', 'kept', '-r', '-q', '1'])
        await publish(port, version, ['-t', `${root}/z`, '-m', 'other', '-r', '-q', '1'])
        const first = await Subscriber.open(port, version, ['-t', `${root}/#`, '-q', '1'], t)
        const sorted = (await first.received(2)).sort((a, b) => a.topic.localeCompare(b.topic))
        assert.deepEqual(sorted, [
          { topic: `${root}/a`, qos: 1, retain: true, text: 'kept' },
          { topic: `${root}/z`, qos: 1, retain: true, text: 'other' },
        ])
        await publish(port, version, ['-t', `${root}/a`, '-n', '-r', '-q', '1'])
        const second = await Subscriber.open(port, version, ['-t', `${root}/#`, '-q', '1'], t)
        await publish(port, version, ['-t', `${root}/live`, '-m', 'live', '-q', '1'])
        const after = await second.received(2)
        assert.deepEqual(
          after.map(({ topic, retain }) => [topic, retain]),
          [
            [`${root}/z`, true],
            [`${root}/live`, false],
          ],
        )
      })

      test('a client that is killed leaves its will, one that says goodbye does not', async (t) => {
        const topic = unique()
        const watcher = await Subscriber.open(port, version, ['-t', topic, '-q', '1'], t)
        const will = (payload: string): string[] => ['--will-topic', topic, '--will-payload', payload, '--will-qos', '1']
        // `-E`: says DISCONNECT as soon as it has subscribed.
        const polite = await Subscriber.open(port, version, ['-t', 'x', '-E', ...will('polite')], t)
        await polite.child.succeeds()
        const killed = await Subscriber.open(port, version, ['-t', 'x', ...will('killed')], t)
        assert.equal(await killed.child.stop('SIGKILL'), 'SIGKILL')
        await watcher.received(1)
        assert.deepEqual(watcher.texts, ['killed'])
      })

      test('a persistent session keeps what came while its client was away', async (t) => {
        const topic = unique()
        const args = ['-i', `persistent-${topic.slice(0, 8)}`, '-c', '-t', topic, '-q', '1']
        const session = version === 'mqttv5' ? [...args, '-x', '60'] : args
        const first = await Subscriber.open(port, version, session, t)
        await publish(port, version, ['-t', topic, '-q', '1', '-m', 'present'])
        await first.received(1)
        await first.leave()
        await publish(port, version, ['-t', topic, '-q', '1', '-l'], 'one\ntwo\nthree\n')
        await publish(port, version, ['-t', topic, '-q', '0', '-m', 'lost, as QoS 0 may be'])
        const second = await Subscriber.open(port, version, session, t)
        await publish(port, version, ['-t', topic, '-q', '1', '-m', 'four'])
        await second.received(4)
        assert.deepEqual(second.texts, ['one', 'two', 'three', 'four'])
      })
    })
  }

  for (const version of ['mqttv311', 'mqttv5'] as const) {
    test(`${version}: members of a shared subscription divide the messages`, async (t) => {
      const topic = unique()
      const members = [
        await Subscriber.open(port, version, ['-t', `$share/workers/${topic}`, '-q', '1'], t),
        await Subscriber.open(port, version, ['-t', `$share/workers/${topic}`, '-q', '1'], t),
      ]
      const all = await Subscriber.open(port, version, ['-t', topic, '-q', '1'], t)
      const lines = Array.from({ length: 40 }, (_, i) => `${i}`)
      await publish(port, version, ['-t', topic, '-q', '1', '-l'], `${lines.join('\n')}\n`)
      await all.received(40)
      await members[0]?.child.until('all 40 at one of the two', () => members.flatMap(({ texts }) => texts).length >= 40)
      const texts = members.flatMap((member) => member.texts)
      assert.deepEqual(
        texts.sort((a, b) => Number(a) - Number(b)),
        lines,
      )
      for (const member of members) assert.ok(member.texts.length > 0)
    })
  }

  test('messages cross between the versions', async (t) => {
    const topic = unique()
    const versions = ['mqttv31', 'mqttv311', 'mqttv5'] as const
    const subscribers = await Promise.all(
      versions.map((version) => Subscriber.open(port, version, ['-t', `${topic}/+`, '-q', '2'], t)),
    )
    for (const [qos, version] of versions.entries()) {
      await publish(port, version, ['-t', `${topic}/${version}`, '-m', 'ü', '-q', String(qos)])
    }
    const expected = versions.map((version, qos) => ({ topic: `${topic}/${version}`, qos, retain: false, text: 'ü' }))
    for (const subscriber of subscribers) assert.deepEqual(await subscriber.received(3), expected)
  })

  test('properties of 5.0 arrive as they were sent', async (t) => {
    const topic = unique()
    const format = ['-F', 'properties\t%C\t%D\t%R\t%P\t%E\t%F']
    const subscriber = await Subscriber.open(port, 'mqttv5', ['-t', topic, ...format], t)
    const properties = [
      ['content-type', 'text/plain'],
      ['correlation-data', 'c1'],
      ['response-topic', 'answers/here'],
      ['user-property', 'a', '1'],
      ['user-property', 'a', '2'],
      ['message-expiry-interval', '600'],
      ['payload-format-indicator', '1'],
    ].flatMap((property) => ['-D', 'publish', ...property])
    await publish(port, 'mqttv5', ['-t', topic, '-m', 'x', '-q', '1', ...properties])
    const { input } = await subscriber.child.line(/^properties/)
    const [, contentType, correlation, response, user, expiry, utf8] = input.split('\t')
    assert.deepEqual([contentType, correlation, response, utf8], ['text/plain', 'c1', 'answers/here', '1'])
    assert.match(user ?? '', /a:1.*a:2/)
    assert.ok(Number(expiry) > 0 && Number(expiry) <= 600, expiry)
  })

  test('a DISCONNECT with reason 0x04 leaves the will, as 5.0 has it', async (t) => {
    const topic = unique()
    const watcher = await Subscriber.open(port, 'mqttv5', ['-t', topic, '-q', '1'], t)
    const leaving = await Subscriber.open(port, 'mqttv5', ['-t', 'x', '--will-topic', topic, '--will-payload', 'left'], t)
    await leaving.leave() // at SIGTERM mosquitto_sub asks for its will
    await watcher.received(1)
    assert.deepEqual(watcher.texts, ['left'])
  })

  test('a will of 5.0 carries its properties, in their order, behind its delay', async (t) => {
    const topic = unique()
    const watcher = await Subscriber.open(port, 'mqttv5', ['-t', topic, '-F', 'will\t%p\t%C\t%P'], t)
    const properties = [
      ['content-type', 'text/plain'],
      ['will-delay-interval', '1'],
      ['user-property', 'b', '1'],
      ['user-property', 'a', '2'],
      ['user-property', 'b', '3'],
    ].flatMap((property) => ['-D', 'will', ...property])
    const will = ['--will-topic', topic, '--will-payload', 'gone', ...properties]
    const fragile = await Subscriber.open(port, 'mqttv5', ['-t', 'x', '-x', '60', '-c', '-i', topic.slice(0, 8), ...will], t)
    await fragile.child.stop('SIGKILL')
    const { input } = await watcher.child.line(/^will/)
    const [, payload, contentType, user] = input.split('\t')
    assert.deepEqual([payload, contentType], ['gone', 'text/plain'])
    assert.match(user ?? '', /b:1.*a:2.*b:3/)
  })

  test('what a client of 5.0 takes at most holds: messages under way, octets of a packet', async (t) => {
    const topic = unique()
    const limits = ['-D', 'connect', 'receive-maximum', '1', '-D', 'connect', 'maximum-packet-size', '100']
    const subscriber = await Subscriber.open(port, 'mqttv5', ['-t', topic, '-q', '2', ...limits], t)
    const lines = Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 'too large'.repeat(20) : `${i}`))
    await publish(port, 'mqttv5', ['-t', topic, '-q', '2', '-l'], `${lines.join('\n')}\n`)
    await subscriber.received(16)
    assert.deepEqual(
      subscriber.texts,
      lines.filter((line) => line.length < 10),
    )
  })

  test('subscription options of 5.0: identifier, retain as published', async (t) => {
    const topic = unique()
    const options = ['-D', 'subscribe', 'subscription-identifier', '77', '--retain-as-published']
    const subscriber = await Subscriber.open(port, 'mqttv5', ['-t', topic, ...options, '-F', 'options\t%p\t%r\t%S'], t)
    await publish(port, 'mqttv5', ['-t', topic, '-m', 'live', '-r', '-q', '1'])
    const { input } = await subscriber.child.line(/^options/)
    assert.deepEqual(input.split('\t').slice(1), ['live', '1', '77'])
  })

  test('topic aliases of 5.0 stand for their topic', async (t) => {
    const topic = unique()
    const subscriber = await Subscriber.open(port, 'mqttv5', ['-t', topic, '-q', '1'], t)
    await publish(port, 'mqttv5', ['-t', topic, '-q', '1', '-l', '-D', 'publish', 'topic-alias', '3'], 'one\ntwo\nthree\n')
    await subscriber.received(3)
    assert.deepEqual(subscriber.texts, ['one', 'two', 'three'])
  })

  test('a payload of many reads arrives whole', async (t) => {
    const topic = unique()
    const file = join(server.folder, 'payload')
    const text = 'abcdefghij'.repeat(60_000)
    writeFileSync(file, text)
    const subscriber = await Subscriber.open(port, 'mqttv311', ['-t', topic, '-q', '2'], t)
    await publish(port, 'mqttv5', ['-t', topic, '-q', '2', '-f', file])
    const [message] = await subscriber.received(1)
    assert.equal(message?.text, text)
  })

  test('$SYS numbers and presence are there for the asking', async (t) => {
    const clientId = `present-${unique().slice(0, 8)}`
    const version = await Subscriber.open(port, 'mqttv311', ['-t', '$SYS/broker/version', '-C', '1'], t)
    assert.match((await version.received(1))[0]?.text ?? '', /^omnigate version \d/)
    const device = await Subscriber.open(port, 'mqttv311', ['-i', clientId, '-t', 'x'], t)
    const watcher = await Subscriber.open(port, 'mqttv5', ['-t', `devices/${clientId}/status`, '-q', '1'], t)
    assert.equal((JSON.parse((await watcher.received(1))[0]?.text ?? '') as { online: boolean }).online, true)
    await device.leave()
    const last = JSON.parse((await watcher.received(2))[1]?.text ?? '') as { online: boolean; reason: string }
    assert.deepEqual([last.online, last.reason], [false, 'disconnected'])
  })
})
