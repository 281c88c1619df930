/** The demo and the simulators, as the README says to run them. They are compiled programs, so only compiled tests run them. */
import assert from 'node:assert/strict'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../support/process.ts'
import { root } from '../support/project.ts'
import { without } from './needs.ts'
import { listener, Server } from './server.ts'

const dist = join(root, 'dist') + sep
const isCompiled = fileURLToPath(import.meta.url).startsWith(dist)
const skip = (isCompiled ? false : 'runs the compiled examples') || without('mqtt', 'coap', 'jt808')
const example = (name: string): string => join(dist, 'examples', name)

test('the demo shows a mixed fleet, and a command answered, on the unified topics', { skip }, async () => {
  const { code, stdout, stderr } = await run(process.execPath, [example('demo.js'), '--seconds', '6'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^ready mqtt tcp /m)
  for (const [device, protocol, type] of [
    ['meter-1', 'coap', 'measurement'],
    ['013812345678', 'jt808', 'location'],
    ['bulb-1', 'mqtt', 'measurement'],
  ]) {
    assert.match(stdout, new RegExp(`^devices/${device}/status +\\{"online":true,`, 'm'))
    assert.match(stdout, new RegExp(`^devices/${device}/up/telemetry .*"protocol":"${protocol}".*"type":"${type}"`, 'm'))
  }
  assert.match(stdout, /^devices\/013812345678\/up\/response +\{"id":"demo-1","device":"013812345678","ok":true/m)
})

test('each simulator reports as often as it was told, and stops by itself', { skip }, async (t) => {
  const server = await Server.start(
    { gateways: { coap: { listeners: [listener('udp')] }, jt808: { listeners: [listener('tcp')] } } },
    t,
  )
  const often = ['--interval', '50ms', '--count', '3']
  const sensor = await run(process.execPath, [
    example('devices/coap-sensor.js'),
    '--port',
    String(server.port('coap', 'udp')),
    ...often,
  ])
  assert.equal(sensor.code, 0, sensor.stderr)
  assert.equal(sensor.stdout.match(/2\.04/g)?.length, 3, sensor.stdout)
  const phone = ['--phone', '013800000001']
  const truck = await run(process.execPath, [
    example('devices/truck.js'),
    '--port',
    String(server.port('jt808')),
    ...phone,
    ...often,
  ])
  assert.equal(truck.code, 0, truck.stderr)
})
