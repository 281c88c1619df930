/** A data directory that is full, read-only, taken or damaged: a clear message, and nothing acknowledged is lost beyond it. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { cannotMount, mountSmall, resize } from '../support/small-disk.ts'
import { App } from './mqtt-app.ts'
import { without } from './needs.ts'
import { seededRandom } from './random.ts'
import { type LogLine, listener, Server, type ServerConfig } from './server.ts'
import { until } from './waiting.ts'

/** PUBACK, MQTT 5.0 3.4.2.1 */
const IMPLEMENTATION_SPECIFIC = 0x83
const SMALL_BYTES = 256 * 1024
const ABSENT = 'absent'
const TOPIC = 'faults/t'
const LAST = 'last'

function config(dataDir: string): ServerConfig {
  return { node: { dataDir }, gateways: { mqtt: { listeners: [listener('tcp')] } } }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'omnigate-faults-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The client whose messages have to wait. */
function absent(server: Server, t: TestContext): Promise<App> {
  const more = { clean: false, properties: { sessionExpiryInterval: 3600 } }
  return App.connect(server.port('mqtt'), t, { clientId: ABSENT, more })
}

/** A session that waits for messages. */
async function subscribed(server: Server, t: TestContext): Promise<void> {
  const app = await (await absent(server, t)).subscribe(TOPIC, 1)
  await app.end()
}

/** What the session gets when its client is back. */
async function collected(server: Server, t: TestContext): Promise<string[]> {
  const app = await absent(server, t)
  assert.equal(app.connack?.sessionPresent, true)
  // Its record may be the one that was damaged.
  await app.subscribe(TOPIC, 1)
  await app.publish(TOPIC, LAST)
  await app.message(LAST, ({ text }) => text === LAST)
  return app.messages.map(({ text }) => text)
}

/** The line with which a server that cannot start ends. */
async function refusal(dataDir: string, t: TestContext): Promise<LogLine> {
  const server = Server.launch(config(dataDir), t)
  assert.equal(await server.child.ended, 1, server.child.story)
  const line = server.log().find(({ level }) => level === 'error')
  assert.ok(line !== undefined, server.child.story)
  return line
}

describe('a data directory that cannot be used', { skip: without('mqtt') }, () => {
  test('full: what must be stored is refused, all else goes on, and when there is room nothing is missing', {
    skip: cannotMount(),
  }, async (t) => {
    const dataDir = mountSmall(t, SMALL_BYTES)
    const server = await Server.start(config(dataDir), t)
    await subscribed(server, t)
    const stored: string[] = []
    const fill = async (): Promise<void> => {
      const publisher = await App.connect(server.port('mqtt'), t)
      const refused = await until('a refusal', async () => {
        const text = `${stored.length}`.padEnd(4000, '.')
        return publisher.publish(TOPIC, text).then(
          () => void stored.push(text),
          (error: { code?: number }) => error,
        )
      })
      assert.ok(refused.code === IMPLEMENTATION_SPECIFIC || !publisher.connected, `${refused}`)
      const line = await server.logged(/no space is left/)
      assert.equal(line.code, 'store-failing')
      assert.match(line.msg, new RegExp(`cannot write ${dataDir}/.*: no space is left on the device \\(ENOSPC\\): free space`))
    }
    await fill()
    assert.ok(stored.length > 10)

    const live = await (await App.connect(server.port('mqtt'), t)).subscribe('faults/live')
    const other = await App.connect(server.port('mqtt'), t)
    await other.publish('faults/live', 'goes on')
    await live.message('a message for who needs no store', ({ text }) => text === 'goes on')

    await server.kill()
    server.launchAgain()
    await server.ready()
    await fill()
    resize(dataDir, 4 * SMALL_BYTES)
    await server.logged(/the store writes again/)
    await server.kill()
    server.launchAgain()
    await server.ready()
    const found = await collected(server, t)
    assert.deepEqual(
      stored.filter((text) => !found.includes(text)),
      [],
    )
  })

  test('read-only: the start is refused with the path and what to do', { skip: cannotMount() }, async (t) => {
    const dataDir = mountSmall(t, SMALL_BYTES, 'ro')
    const { code, msg } = await refusal(dataDir, t)
    assert.equal(code, 'store-unusable')
    assert.match(msg, new RegExp(`${dataDir}/?.*: the file system is read-only \\(EROFS\\): mount it for writing`))
  })

  test('no directory: the start is refused with the path and what to do', async (t) => {
    const dataDir = join(folder(t), 'file')
    writeFileSync(dataDir, '')
    const { code, msg } = await refusal(dataDir, t)
    assert.equal(code, 'store-unusable')
    assert.match(msg, new RegExp(`${dataDir}/?.*: .*set node.dataDir`))
  })

  test('in use: the start is refused and names the process', async (t) => {
    const dataDir = folder(t)
    const server = await Server.start(config(dataDir), t)
    const { code, msg } = await refusal(dataDir, t)
    assert.equal(code, 'store-unusable')
    assert.match(msg, new RegExp(`${dataDir}.* is in use by process ${server.pid}: stop that process`))
  })
})

describe('store files that were damaged', { skip: without('mqtt') }, () => {
  const texts = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(20 + ((index * 37) % 200), '.'))

  /** A data directory with a session that waits for `texts`. */
  async function filled(t: TestContext): Promise<string> {
    const dataDir = folder(t)
    const server = await Server.start(config(dataDir), t)
    await subscribed(server, t)
    const publisher = await App.connect(server.port('mqtt'), t)
    for (const text of texts) await publisher.publish(TOPIC, text)
    await server.kill()
    return dataDir
  }

  function segmentOf(dataDir: string): string {
    const name = readdirSync(join(dataDir, 'store')).find((file) => file.endsWith('.log'))
    assert.ok(name !== undefined)
    return join(dataDir, 'store', name)
  }

  /** What comes after a restart, and what the log says of damage. */
  async function restarted(dataDir: string, t: TestContext): Promise<{ lost: string[]; line: LogLine | undefined }> {
    const server = await Server.start(config(dataDir), t)
    const found = await collected(server, t)
    const line = server.log().find(({ level, msg }) => level === 'error' && msg.includes('is damaged'))
    await server.stop('SIGKILL')
    return { lost: texts.filter((text) => !found.includes(text)), line }
  }

  test('cut short: the record at the end is lost, and no other', async (t) => {
    const dataDir = await filled(t)
    const path = segmentOf(dataDir)
    truncateSync(path, readFileSync(path).length - 3)
    const { lost } = await restarted(dataDir, t)
    assert.deepEqual(lost, texts.slice(-1))
  })

  test('a changed bit: at most one record is lost, and the log says where', async (t) => {
    const dataDir = await filled(t)
    const random = seededRandom(1)
    for (let round = 0; round < 6; round++) {
      const copy = join(folder(t), 'data')
      cpSync(dataDir, copy, { recursive: true })
      const path = segmentOf(copy)
      const bytes = readFileSync(path)
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
      writeFileSync(path, bytes)
      const { lost, line } = await restarted(copy, t)
      assert.ok(lost.length <= 1, `octet ${at}: ${lost.length} messages lost`)
      assert.equal(line?.path, path)
      assert.ok((line?.start ?? at + 1) <= at && at < (line?.end ?? 0), `octet ${at}: ${JSON.stringify(line)}`)
    }
  })
})
