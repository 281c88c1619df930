/** Configured topics are there after a restart, as their data is. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DELETE, GET, IPATCH, POST, PUT } from '#stacks/coap/codes'
import { CONTENT_FORMAT, uintOption } from '#stacks/coap/options'
import { World } from '#testing'
import coap from '../index.ts'
import { type Cbor, decodeCbor, EpochSeconds, encodeMap } from '../pubsub/cbor.ts'
import { Device, type Got } from './device.ts'

const PUBSUB = uintOption(CONTENT_FORMAT, 606)
const HOUR_MS = 3_600_000

/** Processes one after the other on one directory: a device of the next one. */
function history(t: TestContext): (elapsedMs?: number) => Promise<{ world: World; device: Device }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'omnigate-topics-'))
  let world: World | undefined
  t.after(() => {
    world?.close()
    rmSync(dataDir, { recursive: true })
  })
  return async (elapsedMs = 0) => {
    world?.close()
    world = new World({ dataDir, elapsedMs })
    return { world, device: new Device(await world.gateway(coap)) }
  }
}

function body(properties: readonly (readonly [number, Cbor])[]) {
  return { payload: encodeMap(new Map(properties)), options: [PUBSUB] }
}

function properties({ message }: Got): unknown {
  return decodeCbor(message.payload)
}

test('a topic, what was changed of it, and its data are there after a restart; what was deleted is not', async (t) => {
  const next = history(t)
  const { device } = await next()
  const create = (name: string): string => {
    const { location } = device.ask({
      code: POST,
      uri: '/pubsub',
      ...body([
        [0, name],
        [2, 'core.ps.data'],
        [6, 5],
      ]),
    })
    return `/${location}`
  }
  const kept = create('living/temp')
  const deleted = create('living/noise')
  device.ask({
    code: IPATCH,
    uri: kept,
    ...body([
      [6, 1],
      [4, 'temperature'],
    ]),
  })
  device.ask({ code: PUT, uri: `${kept}/data`, payload: '21.5' })
  device.ask({ code: DELETE, uri: deleted })

  const { device: again } = await next()
  assert.deepEqual(
    properties(again.ask({ code: GET, uri: kept })),
    new Map<number, Cbor>([
      [0, 'living/temp'],
      [2, 'core.ps.data'],
      [6, 1],
      [1, `${kept}/data`],
      [4, 'temperature'],
    ]),
  )
  assert.equal(again.ask({ code: GET, uri: `${kept}/data` }).text, '21.5')
  assert.equal(again.ask({ code: GET, uri: deleted }).code, '4.04')
  assert.match(
    again.ask({
      code: POST,
      uri: '/pubsub',
      ...body([
        [0, 'living/temp'],
        [2, 'core.ps.data'],
      ]),
    }).text,
    /of this name/,
  )
})

test('what expired while nobody ran is not there any more, and is forgotten', async (t) => {
  const next = history(t)
  const { world, device } = await next()
  const end = new EpochSeconds(Math.floor(world.now() / 1000) + 60)
  const { location } = device.ask({
    code: POST,
    uri: '/pubsub',
    ...body([
      [0, 'short'],
      [2, 'core.ps.data'],
      [5, end],
    ]),
  })
  for (let restart = 0; restart < 2; restart++) {
    const { device: later } = await next(HOUR_MS)
    assert.equal(later.ask({ code: GET, uri: `/${location}` }).code, '4.04')
  }
})
