/**
 * The product with a small mixed fleet, on free ports: two CoAP thermometers, two JT/T 808 trucks, one MQTT device, and
 * an application that sees all of them on the unified topics and sends a text to a truck.
 *
 *     npm run demo                    until Ctrl-C
 *     npm run demo -- --seconds 10
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connectAsync, type MqttClient } from 'mqtt'
import { CoapSensor } from './devices/coap-sensor.ts'
import { Truck } from './devices/truck.ts'

const CONFIG = `
gateways:
  mqtt:   { listeners: [ { type: tcp, bind: "127.0.0.1:0" } ] }
  coap:   { listeners: [ { type: udp, bind: "127.0.0.1:0" } ] }
  trucks: { use: jt808, listeners: [ { type: tcp, bind: "127.0.0.1:0" } ], native: false }
`
const TRUCK = '013812345678'

interface Product {
  readonly process: ChildProcess
  /** Port of each gateway. */
  readonly ports: ReadonlyMap<string, number>
}

/** Starts the product and waits for its `ready` line. */
async function startProduct(directory: string): Promise<Product> {
  const config = join(directory, 'demo.yaml')
  writeFileSync(config, CONFIG)
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (!line.startsWith('ready')) continue
    console.log(line)
    const ports = [...line.matchAll(/(\w+) (?:tcp|udp) [^:]+:(\d+)/g)].map(([, name, port]): [string, number] => [
      name as string,
      Number(port),
    ])
    return { process: child, ports: new Map(ports) }
  }
  throw new Error('the product ended before it was ready')
}

/** A device that speaks the unified topics itself. */
async function startBulb(port: number): Promise<MqttClient> {
  const bulb = await connectAsync({ host: '127.0.0.1', port, clientId: 'bulb-1', protocolVersion: 5 })
  const timer = setInterval(() => {
    const envelope = { v: 1, ts: Date.now(), device: 'bulb-1', protocol: 'mqtt', gateway: 'mqtt', type: 'measurement' }
    bulb.publish('devices/bulb-1/up/telemetry', JSON.stringify({ ...envelope, data: { values: { brightness_pct: 80 } } }))
  }, 3000)
  bulb.on('close', () => clearInterval(timer))
  return bulb
}

/** Prints what an application sees. */
async function startApplication(port: number): Promise<MqttClient> {
  const application = await connectAsync({ host: '127.0.0.1', port, clientId: 'application', protocolVersion: 5 })
  application.on('message', (topic, payload) => console.log(`${topic.padEnd(38)} ${payload}`))
  await application.subscribeAsync(['devices/+/up/#', 'devices/+/status'], { qos: 1 })
  return application
}

async function demo(seconds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'omnigate-demo-'))
  const product = await startProduct(directory)
  const port = (gateway: string): number => product.ports.get(gateway) ?? 0
  const application = await startApplication(port('mqtt'))
  const sensors = ['meter-1', 'meter-2'].map(
    (clientId, index) => new CoapSensor({ host: '127.0.0.1', port: port('coap'), clientId, intervalMs: 2000 + 700 * index }),
  )
  const trucks = [TRUCK, '013900000002'].map(
    (phone) => new Truck({ host: '127.0.0.1', port: port('trucks'), phone, intervalMs: 2000 }),
  )
  const bulb = await startBulb(port('mqtt'))
  for (const truck of trucks) truck.start()
  const running = sensors.map((sensor) => sensor.run())

  const interrupted = new Promise((resolve) => process.once('SIGINT', resolve))
  const over = new AbortController()
  const commands = (async () => {
    await delay(3000, undefined, { signal: over.signal })
    const command = { id: 'demo-1', name: 'message', args: { text: '前方拥堵 slow down' } }
    await application.publishAsync(`devices/${TRUCK}/down/command`, JSON.stringify(command), { qos: 1 })
  })().catch(() => {})
  await Promise.race([interrupted, delay(seconds * 1000, undefined, { signal: over.signal })])

  over.abort()
  await commands
  for (const sensor of sensors) sensor.stop()
  for (const truck of trucks) truck.stop()
  await Promise.all(running)
  await Promise.all([bulb.endAsync(), application.endAsync()])
  const exited = new Promise((resolve) => product.process.once('exit', resolve))
  product.process.kill('SIGTERM')
  await exited
  rmSync(directory, { recursive: true, force: true })
}

const { values } = parseArgs({ options: { seconds: { type: 'string' } } })
// setTimeout counts in 32 bits of milliseconds: three weeks are as good as for ever.
await demo(values.seconds === undefined ? 1_800_000 : Number(values.seconds))
