/** MQTT 3.1, 3.1.1 and 5.0 with Paho's clients in C, synchronous and not, over all four transports. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Child } from '../e2e/child.ts'
import { without } from '../e2e/needs.ts'
import { listener, Server } from '../e2e/server.ts'
import { Certificates } from './certificates.ts'
import { unique } from './mosquitto-client.ts'
import { lacking, program } from './program.ts'

const skip = without('mqtt') || lacking('paho_c_sub', 'paho_c_pub', 'paho_cs_pub', 'openssl', 'stdbuf')

/** Its packets as it saw them, without the handshakes: `<- PUBLISH 2`. */
function exchange(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [, way, type, qos] = /^Trace : 4, .* (<-|->) ([A-Z]+)(?: .*?qos: ([0-2]))?/.exec(line) ?? []
    if (type === undefined || /^(CONN|SUB|PING)/.test(type)) return []
    return [qos === undefined ? `${way} ${type}` : `${way} ${type} ${qos}`]
  })
}

/** What a subscriber sees of one message. */
const RECEIVED = [
  ['<- PUBLISH 0'],
  ['<- PUBLISH 1', '-> PUBACK'],
  ['<- PUBLISH 2', '-> PUBREC', '<- PUBREL', '-> PUBCOMP'],
] as const

describe('Paho in C', { skip }, () => {
  let server: Server
  let certificates: Certificates

  before(async () => {
    certificates = new Certificates()
    const tls = await certificates.ofServer('server')
    const listeners = [
      listener('tcp'),
      listener('tls', { tls }),
      listener('ws', { path: '/mqtt' }),
      listener('wss', { path: '/mqtt', tls }),
    ]
    server = await Server.start({ gateways: { mqtt: { listeners } } })
  })
  after(async () => {
    await server?.stop()
    certificates.delete()
  })

  const trusted = (): string[] => ['--cafile', certificates.path('server.pem')]
  const places: Readonly<Record<string, () => string[]>> = {
    tcp: () => ['-c', `tcp://127.0.0.1:${server.port('mqtt')}`],
    tls: () => ['-c', `ssl://localhost:${server.port('mqtt', 'tls')}`, ...trusted()],
    ws: () => ['-c', `ws://127.0.0.1:${server.port('mqtt', 'ws')}/mqtt`],
    wss: () => ['-c', `wss://localhost:${server.port('mqtt', 'wss')}/mqtt`, ...trusted()],
  }

  /** Resolves when the subscription is acknowledged. */
  async function subscriber(args: readonly string[], t: TestContext): Promise<Child> {
    const child = new Child(program('stdbuf'), ['-oL', program('paho_c_sub'), '--trace', 'protocol', ...args], {}, t)
    await child.line(/<- SUBACK/)
    return child
  }

  async function publish(name: string, args: readonly string[]): Promise<void> {
    await new Child(program(name), args).succeeds()
  }

  for (const [transport, place] of Object.entries(places)) {
    for (const version of transport === 'tcp' ? ['31', '311', '5'] : ['311', '5']) {
      test(`MQTT ${version} over ${transport}: every QoS to the end of its exchange`, async (t) => {
        const root = unique()
        const common = [...place(), '-V', version]
        const child = await subscriber([...common, '-t', `${root}/#`, '-q', '2', '-i', 'paho-sub'], t)
        for (const qos of ['0', '1', '2']) {
          const properties = version === '5' ? ['--user-property', 'site', 'north', '--message-expiry', '100'] : []
          await publish('paho_c_pub', [...common, ...properties, '-t', `${root}/${qos}`, '-q', qos, '-m', `async ${qos}`])
          await child.line(new RegExp(`/${qos}\tasync ${qos}$`))
          await publish('paho_cs_pub', [...common, '-t', `${root}/${qos}`, '-q', qos, '-m', `sync ${qos}`])
          await child.line(new RegExp(`/${qos}\tsync ${qos}$`))
        }
        if (version === '5') {
          assert.equal(child.out.filter((line) => /USER_PROPERTY key site value north/.test(line)).length, 3)
          assert.equal(child.out.filter((line) => /MESSAGE_EXPIRY_INTERVAL value (100|99)/.test(line)).length, 3)
        }
        await child.stop('SIGINT')
        const expected = RECEIVED.flatMap((flow) => [...flow, ...flow])
        assert.deepEqual(exchange(child.err), [...expected, '-> DISCONNECT'])
      })
    }
  }

  test('a retained message and a will', async (t) => {
    const root = unique()
    const common = [...(places['tcp'] as () => string[])(), '-V', '5']
    await publish('paho_cs_pub', [...common, '-t', `${root}/kept`, '-q', '1', '-r', '-m', 'kept'])
    const will = ['--will-topic', `${root}/will`, '--will-payload', 'gone', '--will-qos', '1']
    const fragile = await subscriber([...common, '-t', 'x', '-i', 'fragile', ...will], t)
    const watcher = await subscriber([...common, '-t', `${root}/#`, '-q', '1', '-i', 'watcher'], t)
    await watcher.line(/<- PUBLISH .*qos: 1 retained: 1 .*: kept/)
    await fragile.stop('SIGKILL')
    await watcher.line(/<- PUBLISH .*qos: 1 retained: 0 .*: gone/)
  })
})
