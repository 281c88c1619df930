/**
 * One folder is one gateway, and nothing else is edited: the example runs over a real socket, named by its path in a
 * config, and copied into a folder of gateways, where it is found.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config/load.ts'
import { Registry } from '../../src/runtime/registry.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import type { Log } from '../../src/sdk.ts'
import { AppClient } from '../../src/testing.ts'
import { inProject } from '../support/project.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/custom-gateway/', import.meta.url))
const ENTRY = `index${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`

const elsewhere = mkdtempSync(join(tmpdir(), 'omnigate-custom-'))
after(() => rmSync(elsewhere, { recursive: true, force: true }))

const problems: unknown[] = []
const log: Log = { debug() {}, info() {}, warn() {}, error: (fields, message) => void problems.push([message, fields]) }

/** A device with a real socket; answers come line by line. */
class Device {
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#lines = createInterface({ input: this.#socket })[Symbol.asyncIterator]()
  }

  say(...lines: readonly string[]): void {
    this.#socket.write(lines.map((line) => `${line}\n`).join(''))
  }

  async hear(): Promise<string> {
    const { value, done } = await this.#lines.next()
    assert.ok(!done, 'the gateway closed the connection')
    return value
  }

  leave(): void {
    this.#socket.destroy()
  }
}

async function start(file: string, modules: Registry): Promise<Runtime> {
  const { config, problems: faults } = await loadConfig({ file, directory: elsewhere, environment: {}, modules })
  assert.deepEqual(faults, [])
  assert.ok(config !== undefined)
  return startRuntime(config, { version: '0.0.0', log })
}

async function roundTrip(runtime: Runtime, gateway: string): Promise<void> {
  try {
    await talk(runtime, gateway)
  } finally {
    await runtime.stop()
  }
}

/** Telemetry up, a command down and its answer up, as every application sees them. */
async function talk(runtime: Runtime, gateway: string): Promise<void> {
  const [listener] = runtime.listeners()
  assert.equal(listener?.gateway, gateway)
  const app = new AppClient(runtime.core, 'application')
  app.subscribe('devices/+/up/#', { qos: 1 })
  const device = new Device(Number(listener?.address.split(':').at(-1)))
  try {
    device.say('LOGIN m1', 'DATA 7 {"temperature_c":21.5}')
    assert.equal(await device.hear(), 'WELCOME m1')
    assert.equal(await device.hear(), 'OK 7')
    const [telemetry] = app.take()
    assert.ok(telemetry !== undefined)
    assert.equal(telemetry.topic, 'devices/m1/up/telemetry')
    const { ts, ...envelope } = telemetry.json() as { ts: number }
    assert.ok(ts > 0)
    const data = { values: { temperature_c: 21.5 } }
    assert.deepEqual(envelope, { v: 1, device: 'm1', protocol: 'line', gateway, type: 'measurement', data })

    app.publish('devices/m1/down/command', '{"id":"42","name":"message","args":{"text":"hello there"}}', { qos: 1 })
    const [, number] = /^DOWN (\d+) hello there$/.exec(await device.hear()) ?? []
    device.say(`DONE ${number}`, 'PING')
    assert.equal(await device.hear(), 'PONG')
    const [response] = app.take()
    assert.equal(response?.topic, 'devices/m1/up/response')
    assert.deepEqual(response?.json(), { id: '42', device: 'm1', ok: true, result: {} })
  } finally {
    device.leave()
  }
  assert.deepEqual(problems, [])
}

test('a config names it by its path', async () => {
  const file = join(elsewhere, 'by-path.yaml')
  writeFileSync(file, `gateways:\n  meters: { use: ${join(EXAMPLE, ENTRY)}, listeners: [{ type: tcp, bind: "127.0.0.1:0" }] }\n`)
  await roundTrip(await start(file, new Registry()), 'meters')
})

test('its folder among the others is enough', async () => {
  // A third party's place: packages beside it, nothing of this repository around it.
  const gateways = join(elsewhere, 'gateways')
  cpSync(EXAMPLE, join(gateways, 'line'), { recursive: true })
  mkdirSync(join(elsewhere, 'node_modules'))
  symlinkSync(inProject(''), join(elsewhere, 'node_modules', 'omnigate'))
  symlinkSync(inProject('node_modules/zod'), join(elsewhere, 'node_modules', 'zod'))
  writeFileSync(join(elsewhere, 'package.json'), '{ "type": "module" }\n')
  const registry = new Registry(gateways)
  assert.deepEqual(await registry.names(), ['line'])
  const file = join(elsewhere, 'by-folder.yaml')
  writeFileSync(file, 'gateways:\n  line: { listeners: [{ type: tcp, bind: "127.0.0.1:0" }] }\n')
  await roundTrip(await start(file, registry), 'line')
})
