/** The simulated truck against a platform of a few lines on a loopback socket, and its parts by themselves. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { encodeGbk } from '#bytes/gbk'
import { toHex } from '#bytes/hex'
import { Writer } from '#bytes/writer'
import { Truck, type TruckOptions } from '../truck.ts'
import { Fleet } from './fleet.ts'
import { FrameReader, FrameWriter, type Received, type Version } from './frames.ts'
import { authenticate, location, register } from './messages.ts'
import { readOptions } from './options.ts'
import { Drive, parseRoute, SHANGHAI } from './route.ts'

// ---- parts --------------------------------------------------------------------------------------------------------

test('frames are those of the standard', () => {
  const writer = new FrameWriter('013912345678', '2013')
  assert.equal(toHex(writer.frame(0x0002, new Uint8Array(0)).bytes), '7e000200000139123456780000327e')
  const writer2019 = new FrameWriter('00000000013912345678', '2019')
  writer2019.frame(0x0002, new Uint8Array(0))
  assert.equal(toHex(writer2019.frame(0x0002, new Uint8Array(0)).bytes), '7e0002400001000000000139123456780001727e')
})

test('a frame with everything that is escaped comes back, in any pieces', () => {
  const { bytes } = new FrameWriter('1', '2013').frame(0x0900, Uint8Array.of(0x41, 0x7e, 0x7d, 0x7d, 0x01))
  const reader = new FrameReader()
  const received: Received[] = []
  for (const octet of bytes) reader.push(Uint8Array.of(octet), (message) => void received.push(message))
  assert.deepEqual(
    received.map(({ id, body }) => [id, toHex(body.rest())]),
    [[0x0900, '417e7d7d01']],
  )
})

test('a broken frame is dropped, and so is one that never ends', () => {
  const reader = new FrameReader()
  const received: Received[] = []
  const { bytes } = new FrameWriter('1', '2013').frame(0x0002, new Uint8Array(0))
  const broken = bytes.slice()
  broken[3] = 1
  for (const chunk of [broken, new Uint8Array(5000), bytes]) reader.push(chunk, (message) => void received.push(message))
  assert.deepEqual(
    received.map(({ id }) => id),
    [0x0002],
  )
})

test('bodies have the lengths of their edition', () => {
  assert.equal(register('2013', '沪A12345').length, 37 + 8)
  assert.equal(register('2019', '沪A12345').length, 76 + 8)
  assert.equal(authenticate('2013', 'CODE').length, 4)
  assert.equal(authenticate('2019', 'CODE').length, 1 + 4 + 15 + 20)
})

test('a report says where, how fast and when', () => {
  const position = { lat: -31.5, lon: 121.25, speedKmh: 98, headingDeg: 90, distanceM: 1234 }
  const body = toHex(location(position, new Date('2026-12-31T16:00:01Z')))
  assert.equal(body.slice(0, 56), '00000002' + '00000007' + '01e0a6e0' + '073a20d0' + '000c' + '03d4' + '005a' + '270101000001')
})

test('a drive follows its route, hurries at times, and comes round', () => {
  const drive = new Drive()
  let fastest = 0
  let last = drive.advance(1)
  for (let second = 0; second < 3600; second++) {
    const position = drive.advance(1)
    assert.ok(position.lat > 31.18 && position.lat < 31.25 && position.lon > 121.43 && position.lon < 121.56)
    assert.ok(position.distanceM > last.distanceM)
    assert.ok(position.headingDeg >= 0 && position.headingDeg < 360)
    fastest = Math.max(fastest, position.speedKmh)
    last = position
  }
  assert.ok(fastest > 80)
  assert.ok(last.distanceM > 30_000, 'more than one lap')
})

test('routes on the command line', () => {
  assert.deepEqual(parseRoute('31.2,121.4;31.3,121.5'), [
    { lat: 31.2, lon: 121.4 },
    { lat: 31.3, lon: 121.5 },
  ])
  for (const text of ['', '31.2,121.4', '31.2;121.4', '91,0;0,0', 'a,b;c,d', '1,2,3;4,5,6'])
    assert.equal(parseRoute(text), undefined, text)
  assert.throws(() => new Drive([SHANGHAI[0] as (typeof SHANGHAI)[0]]), RangeError)
})

// ---- against a platform -------------------------------------------------------------------------------------------

/** Accepts everything; `answer` may send more, or close. */
class Platform {
  readonly seen: number[] = []
  readonly #server: Server
  readonly #writer: FrameWriter

  constructor(
    t: TestContext,
    version: Version,
    phone: string,
    react: (platform: Platform, socket: Socket, message: Received) => void,
  ) {
    this.#writer = new FrameWriter(phone, version)
    const sockets = new Set<Socket>()
    this.#server = createServer((socket) => {
      sockets.add(socket)
      const reader = new FrameReader()
      socket.on('error', () => {})
      socket.on('data', (chunk) =>
        reader.push(chunk, (message) => {
          this.seen.push(message.id)
          react(this, socket, message)
        }),
      )
    })
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      this.#server.close()
    })
  }

  async port(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  send(socket: Socket, id: number, body: Uint8Array): void {
    socket.write(this.#writer.frame(id, body).bytes)
  }

  /** As a platform does that accepts everything. */
  accept(socket: Socket, { id, sn }: Received): void {
    if (id === 0x0100) this.send(socket, 0x8100, new Writer().u16(sn).u8(0).put(encodeGbk('CODE')).finish())
    else if (id !== 0x0001) this.send(socket, 0x8001, new Writer().u16(sn).u16(id).u8(0).finish())
  }
}

function truck(port: number, more: Partial<TruckOptions> = {}): Truck {
  return new Truck({ host: '127.0.0.1', port, phone: '013812345678', intervalMs: 5, count: 3, ...more }).start()
}

for (const version of ['2013', '2019'] as const) {
  test(`${version}: registers, authenticates, reports, shows a message, and ends by itself`, async (t) => {
    const phone = version === '2019' ? '00000000013812345678' : '013812345678'
    const text = new Writer().put(Uint8Array.of(4, 1).subarray(0, version === '2019' ? 2 : 1))
    const platform = new Platform(t, version, phone, (self, socket, message) => {
      self.accept(socket, message)
      if (message.id === 0x0102) self.send(socket, 0x8300, text.put(encodeGbk('前方拥堵')).finish())
    })
    const simulated = truck(await platform.port(), { version })
    assert.equal(await simulated.finished, true)
    assert.equal(simulated.acknowledged, 3)
    assert.equal(simulated.lastText, '前方拥堵')
    assert.deepEqual([...new Set(platform.seen)].sort(), [0x0001, 0x0100, 0x0102, 0x0200])
  })
}

test('a lost connection is made again, with the code of the first', async (t) => {
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    self.accept(socket, message)
    if (message.id === 0x0200 && self.seen.filter((id) => id === 0x0200).length === 1) socket.destroy()
  })
  assert.equal(await truck(await platform.port()).finished, true)
  assert.deepEqual(
    platform.seen.filter((id) => id !== 0x0200),
    [0x0100, 0x0102, 0x0102],
  )
})

test('a platform that has forgotten the code gets a registration', async (t) => {
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    const first = self.seen.filter((id) => id === 0x0102).length === 1
    if (message.id === 0x0102 && first) self.send(socket, 0x8001, new Writer().u16(message.sn).u16(message.id).u8(1).finish())
    else self.accept(socket, message)
  })
  assert.equal(await truck(await platform.port()).finished, true)
  assert.deepEqual(platform.seen.slice(0, 4), [0x0100, 0x0102, 0x0100, 0x0102])
})

test('refused reports count as made, and show in the outcome', async (t) => {
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    if (message.id === 0x0200) self.send(socket, 0x8001, new Writer().u16(message.sn).u16(message.id).u8(1).finish())
    else self.accept(socket, message)
  })
  const simulated = truck(await platform.port(), { count: 2 })
  assert.equal(await simulated.finished, false)
  assert.equal(simulated.refused, 2)
})

test('stop ends a truck that would drive on', async (t) => {
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    self.accept(socket, message)
    if (self.seen.filter((id) => id === 0x0200).length === 5) simulated.stop()
  })
  const simulated = truck(await platform.port(), { count: Number.POSITIVE_INFINITY })
  assert.equal(await simulated.finished, true)
  assert.equal(simulated.online, false)
})

test('pictures, batches and alarms: sent in parts, sent again where parts are missing, waited for at the end', {
  timeout: 20_000,
}, async (t) => {
  let withheld = false
  const alarms: number[] = []
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    if (message.id === 0x0200) alarms.push(message.body.u32() & 1)
    if (message.id !== 0x0801) self.accept(socket, message)
    else if (!withheld && self.seen.filter((id) => id === 0x0801).length === 5) {
      withheld = true
      self.send(socket, 0x8800, new Writer().u32(1).u8(2).u16(1).u16(3).finish())
    } else if (withheld && self.seen.filter((id) => id === 0x0801).length === 7) {
      self.send(socket, 0x8800, new Writer().u32(1).finish())
    }
  })
  const simulated = truck(await platform.port(), { count: 4, photos: 4, batches: 2, alarms: 2 })
  assert.equal(await simulated.finished, true)
  assert.equal(simulated.photosAcknowledged, 1)
  assert.equal(platform.seen.filter((id) => id === 0x0704).length, 2)
  assert.equal(platform.seen.filter((id) => id === 0x0801).length, 7)
  assert.deepEqual(alarms, [0, 1, 0, 1])
})

test('questions about parameters, attributes, position and the camera are answered', { timeout: 20_000 }, async (t) => {
  const answers = new Map<number, string>()
  const platform = new Platform(t, '2013', '013812345678', (self, socket, message) => {
    if (message.id === 0x0102) {
      self.send(socket, 0x8103, new Writer().u8(1).u32(0x29).u8(4).u32(5).finish())
      self.send(socket, 0x8106, new Writer().u8(2).u32(0x29).u32(0x9999).finish())
      self.send(socket, 0x8107, new Uint8Array(0))
      self.send(socket, 0x8201, new Uint8Array(0))
      self.send(socket, 0x8801, new Uint8Array(12))
    }
    answers.set(message.id, toHex(message.body.bytes.subarray(message.body.offset, message.body.offset + message.body.remaining)))
    if (message.id === 0x0801) self.send(socket, 0x8800, new Writer().u32(1).finish())
    else self.accept(socket, message)
  })
  assert.equal(await truck(await platform.port(), { count: 2 }).finished, true)
  assert.match(answers.get(0x0104) ?? '', /^[0-9a-f]{4}01000000290400000005$/)
  assert.equal(answers.get(0x0107)?.length, 2 * (2 + 5 + 20 + 7 + 10 + 4 + 4 + 2))
  assert.equal(answers.get(0x0201)?.slice(20, 28), '01dc89d0')
  assert.equal(answers.get(0x0805)?.slice(4), '00000100000001')
  assert.ok(answers.has(0x0801))
})

test('a fleet counts its phones up, and ends together', { timeout: 20_000 }, async (t) => {
  const phones = new Set<string>()
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    let writer: FrameWriter | undefined
    const reader = new FrameReader()
    socket.on('data', (chunk) => {
      const phone = toHex(chunk.subarray(5, 11))
      phones.add(phone)
      writer ??= new FrameWriter(phone, '2013')
      reader.push(chunk, ({ id, sn }) => {
        const body = new Writer().u16(sn)
        if (id === 0x0100) socket.write((writer as FrameWriter).frame(0x8100, body.u8(0).put(encodeGbk('C')).finish()).bytes)
        else socket.write((writer as FrameWriter).frame(0x8001, body.u16(id).u8(0).finish()).bytes)
      })
    })
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const fleet = new Fleet(3, { host: '127.0.0.1', port, phone: '013899999999', intervalMs: 5, count: 2 }).start()
  assert.equal(await fleet.finished, true)
  assert.deepEqual([...phones].sort(), ['013899999999', '013900000000', '013900000001'])
  assert.deepEqual(fleet.totals, { acknowledged: 6, refused: 0, photos: 0 })
})

test('what is wrong on the command line is said', () => {
  assert.deepEqual(readOptions(['--trucks', '5', '--photos', '3']), {
    truck: { host: '127.0.0.1', port: 6207, phone: '013812345678', intervalMs: 1000, route: SHANGHAI, photos: 3 },
    trucks: 5,
  })
  for (const args of [
    ['--trucks', '0'],
    ['--photos', 'x'],
    ['--port', 'a'],
    ['--count', '0'],
    ['--version', '2020'],
    ['--interval', '1'],
  ])
    assert.equal(typeof readOptions(args), 'string', args.join(' '))
})
