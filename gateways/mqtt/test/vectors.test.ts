/** Every malformed packet of specs/mqtt/vectors ends a real session, counted once: the wire format promises no more than it keeps. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { unhex } from '#testing'
import { fixture } from './peer.ts'

interface Vector {
  readonly name: string
  readonly kind: string
  readonly hex: string
  readonly wire?: string
}

const CONNECT_OCTET = '10'

function vectors(): readonly Vector[] {
  const path = join('specs', 'mqtt', 'vectors')
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, path))) {
    if (folder === dirname(folder)) throw new Error(`no ${path} above ${import.meta.url}`)
    folder = dirname(folder)
  }
  return readdirSync(join(folder, path)).flatMap((file) => JSON.parse(readFileSync(join(folder, path, file), 'utf8')) as Vector[])
}

for (const { name, hex, wire } of vectors().filter(({ kind }) => kind === 'malformed')) {
  const version = wire === 'wire5' ? 5 : 4
  test(`${version === 5 ? '5.0' : '3.1.1'}: ${name}`, async () => {
    const { open, client, world } = await fixture()
    const peer = hex.startsWith(CONNECT_OCTET) ? open(version) : client('a', version)
    peer.raw(unhex(hex))
    assert.equal(peer.peer.closed, 'protocol-error')
    assert.equal(
      [...world.malformed().values()].reduce((a, b) => a + b, 0),
      1,
    )
    assert.deepEqual([world.core.size, world.wheel.size, world.faults()], [0, 0, 0])
  })
}
