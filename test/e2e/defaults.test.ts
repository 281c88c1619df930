/** Without a config file: every gateway on disk, on its standard ports, on the loopback only. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../support/process.ts'
import { gatewayFolders } from '../support/source-tree.ts'
import { Child } from './child.ts'
import { without } from './needs.ts'
import { omnigate } from './server.ts'

const STANDARD_PORTS: Readonly<Record<string, readonly string[]>> = {
  mqtt: ['tcp 127.0.0.1:1883', 'ws 127.0.0.1:8083'],
  coap: ['udp 127.0.0.1:5683'],
  jt808: ['tcp 127.0.0.1:6207', 'udp 127.0.0.1:6207'],
}

/** Binds each place for a moment; the first that another program holds, if any. */
async function takenPlace(places: readonly string[]): Promise<string | undefined> {
  for (const place of places) {
    const [type, address = ''] = place.split(' ')
    const port = Number(address.split(':')[1])
    const isFree = type === 'udp' ? await canBindUdp(port) : await canBindTcp(port)
    if (!isFree) return place
  }
  return undefined
}

async function canBindTcp(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function canBindUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

function emptyFolder(clean: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-defaults-'))
  clean(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const installed = gatewayFolders()
const noGateways = installed.length === 0 && 'no gateway on disk'

test('an empty section means the standard ports on the loopback', { skip: noGateways }, async (t) => {
  const folder = emptyFolder((remove) => t.after(remove))
  const file = join(folder, 'omnigate.yaml')
  writeFileSync(file, `gateways:\n${installed.map((name) => `  ${name}:\n`).join('')}`)
  const { code, stdout, stderr } = await run(process.execPath, [...omnigate(), 'check', file])
  assert.equal(code, 0, stderr)
  for (const name of installed) {
    const places = STANDARD_PORTS[name]
    const line = stdout.split('\n').find((text) => text.trim().startsWith(`${name}:`))
    assert.ok(line !== undefined, stdout)
    if (places !== undefined) for (const place of places) assert.ok(line.includes(place), line)
    assert.doesNotMatch(line, /0\.0\.0\.0|\[::\]/)
  }
})

test('without a config file every gateway runs, and it says that anybody may come in', {
  skip: noGateways || without('mqtt'),
}, async (t) => {
  const taken = await takenPlace(installed.flatMap((name) => STANDARD_PORTS[name] ?? []))
  if (taken !== undefined) {
    t.skip(`${taken} is in use`)
    return
  }
  const server = new Child(process.execPath, omnigate(), { cwd: emptyFolder((remove) => t.after(remove)) }, t)
  const { input: ready } = await server.line(/^ready\b/)
  for (const name of installed)
    for (const place of STANDARD_PORTS[name] ?? []) assert.ok(ready.includes(`${name} ${place}`), ready)
  assert.match(server.err.join('\n'), /config-absent/)
  assert.match(server.err.join('\n'), /admits every device without credentials/)
  assert.equal(await server.stop(), 0)
})
