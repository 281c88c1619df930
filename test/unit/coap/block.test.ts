/** Block-wise transfer: RFC 7959. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from '#sdk'
import {
  type Block,
  blockOf,
  blockOption,
  blockSize,
  entityTag,
  hasReservedBlock,
  sliceBody,
  szxFor,
  transferKey,
} from '#stacks/coap/block'
import { CON, CONTENT, codeText, GET, PUT } from '#stacks/coap/codes'
import { Downloads } from '#stacks/coap/downloads'
import type { Response } from '#stacks/coap/exchange'
import { parse, serialize } from '#stacks/coap/message'
import type { OptionSet } from '#stacks/coap/option-set'
import {
  BLOCK1,
  BLOCK2,
  ETAG,
  OBSERVE,
  type Option,
  REQUEST_TAG,
  SIZE1,
  SIZE2,
  textOption,
  URI_PATH,
  uintOption,
} from '#stacks/coap/options'
import { ByteBudget, Uploads } from '#stacks/coap/uploads'

function setOf(...options: Option[]): OptionSet {
  const message = parse(serialize(CON, GET, 1, '', options))
  return isMalformed(message) ? assert.fail(message.malformed) : message.options
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i)
}

test('block values are read and written', () => {
  for (const [block, hex] of [
    [{ number: 0, more: false, szx: 0 }, ''],
    [{ number: 1, more: false, szx: 6 }, '16'],
    [{ number: 0, more: true, szx: 6 }, '0e'],
    [{ number: 17, more: true, szx: 2 }, '011a'],
    [{ number: 2 ** 20 - 1, more: true, szx: 6 }, 'fffffe'],
  ] as const) {
    const option = blockOption(BLOCK2, block)
    assert.equal(Buffer.from(option.value).toString('hex'), hex)
    assert.deepEqual(blockOf(setOf(option), BLOCK2), block)
  }
  assert.equal(blockOf(setOf(uintOption(BLOCK1, 7)), BLOCK1), undefined)
  assert.deepEqual(
    [hasReservedBlock(setOf(uintOption(BLOCK1, 7))), hasReservedBlock(setOf(uintOption(BLOCK2, 6)))],
    [true, false],
  )
  assert.equal(blockOf(setOf(), BLOCK1), undefined)
  assert.deepEqual([0, 6].map(blockSize), [16, 1024])
  assert.deepEqual([1024, 1023, 512, 16, 1].map(szxFor), [6, 5, 5, 0, 0])
})

test('a transfer is known by its resource and Request-Tag, not by block, observe or tag options', () => {
  const path = [textOption(URI_PATH, 'a'), textOption(URI_PATH, 'b')]
  const key = transferKey(PUT, setOf(...path))
  assert.equal(transferKey(PUT, setOf(...path, uintOption(BLOCK1, 0x1e), uintOption(OBSERVE, 0))), key)
  for (const other of [
    transferKey(GET, setOf(...path)),
    transferKey(PUT, setOf(textOption(URI_PATH, 'a/b'))),
    transferKey(PUT, setOf(...path, uintOption(REQUEST_TAG, 1))),
    transferKey(PUT, setOf(textOption(URI_PATH, 'a'))),
  ]) {
    assert.notEqual(other, key)
  }
})

test('bodies are cut as asked for, and never larger than allowed', () => {
  const body = bytes(100)
  assert.deepEqual(sliceBody(body, undefined, 6), { payload: body, block: undefined })
  assert.deepEqual(sliceBody(body, { number: 0, more: false, szx: 6 }, 6)?.block, { number: 0, more: false, szx: 6 })
  const second = sliceBody(body, { number: 1, more: false, szx: 2 }, 6)
  assert.deepEqual([second?.payload, second?.block], [body.subarray(64), { number: 1, more: false, szx: 2 }])
  const smaller = sliceBody(body, { number: 1, more: false, szx: 2 }, 0)
  assert.deepEqual([smaller?.payload, smaller?.block], [body.subarray(64, 80), { number: 4, more: true, szx: 0 }])
  assert.equal(sliceBody(body, { number: 2, more: false, szx: 2 }, 6), undefined)
  assert.deepEqual(sliceBody(bytes(0), { number: 0, more: false, szx: 2 }, 6)?.block, { number: 0, more: false, szx: 2 })
  assert.deepEqual(sliceBody(bytes(32), { number: 1, more: false, szx: 0 }, 6)?.block, { number: 1, more: false, szx: 0 })
})

test('equal bytes have equal entity-tags of 1 to 8 bytes, others not', () => {
  assert.deepEqual(entityTag(bytes(10)), entityTag(bytes(10)))
  assert.notDeepEqual(entityTag(bytes(10)), entityTag(bytes(11)))
  assert.notDeepEqual(entityTag(bytes(10)), entityTag(bytes(10), 50))
  assert.equal(entityTag(bytes(0)).length, 8)
  const tags = new Set(Array.from({ length: 5000 }, (_, i) => Buffer.from(entityTag(Buffer.from(`value ${i}`))).toString('hex')))
  assert.equal(tags.size, 5000)
})

function uploads(limits: Partial<ConstructorParameters<typeof Uploads>[0]> = {}, budget = new ByteBudget(1000)) {
  return new Uploads({ maxBodyBytes: 100, maxUploads: 2, lifetimeMs: 1000, maxSzx: 6, ...limits }, budget)
}

function part(number: number, more: boolean, payload: Uint8Array, szx = 0) {
  return { block: { number, more, szx }, payload, contentFormat: undefined, announced: undefined }
}

function codeFrom(result: ReturnType<Uploads['accept']>): string {
  return 'body' in result ? `body ${result.body.length}` : codeText(result.response.code)
}

test('an upload is put together from its blocks, and returns its memory', () => {
  const budget = new ByteBudget(1000)
  const all = uploads({}, budget)
  const body = bytes(40)
  assert.equal(codeFrom(all.accept('k', part(0, true, body.subarray(0, 16)), 0)), '2.31')
  assert.equal(codeFrom(all.accept('k', part(1, true, body.subarray(16, 32)), 0)), '2.31')
  assert.equal(budget.used, 32)
  const whole = all.accept('k', part(2, false, body.subarray(32)), 0)
  assert.ok('body' in whole)
  assert.deepEqual([Uint8Array.from(whole.body), budget.used, all.size], [body, 0, 0])
})

test('a body of one block needs no state', () => {
  const all = uploads()
  assert.equal(codeFrom(all.accept('k', part(0, false, bytes(5)), 0)), 'body 5')
  assert.equal(all.size, 0)
})

test('block 0 begins anew', () => {
  const all = uploads()
  for (let i = 0; i < 2; i++) {
    assert.equal(codeFrom(all.accept('k', part(0, true, bytes(16)), 0)), '2.31')
    assert.equal(codeFrom(all.accept('k', part(1, true, bytes(16)), 0)), '2.31')
  }
  assert.equal(codeFrom(all.accept('k', part(2, false, bytes(1)), 0)), 'body 33')
})

test('faults end the upload and give back its memory', () => {
  const budget = new ByteBudget(1000)
  const all = uploads({}, budget)
  for (const [bad, code] of [
    [part(2, true, bytes(16)), '4.08'],
    [part(1, true, bytes(15)), '4.00'],
    [part(1, false, bytes(17)), '4.00'],
    [part(99, true, bytes(16)), '4.13'],
    [{ ...part(1, true, bytes(16)), contentFormat: 50 }, '4.08'],
    [{ ...part(1, true, bytes(16)), announced: 101 }, '4.13'],
  ] as const) {
    all.accept('k', part(0, true, bytes(16)), 0)
    assert.equal(codeFrom(all.accept('k', bad, 0)), code)
    assert.deepEqual([all.size, budget.used], [0, 0])
  }
  const tooLarge = all.accept('k', { ...part(0, true, bytes(16)), announced: 101 }, 0)
  assert.ok('response' in tooLarge && tooLarge.response.options?.some(({ number }) => number === SIZE1))
})

test('uploads are bounded per peer, in total, and in time', () => {
  const all = uploads()
  for (const key of ['a', 'b', 'c']) all.accept(key, part(0, true, bytes(16)), 0)
  assert.equal(codeFrom(all.accept('a', part(1, false, bytes(1)), 0)), '4.08')
  assert.equal(codeFrom(all.accept('b', part(1, true, bytes(16)), 500)), '2.31')
  assert.equal(all.nextExpiry, 1000)
  assert.equal(all.expire(1000), 1)
  assert.deepEqual([all.size, all.nextExpiry], [1, 1500])
  all.clear()
  assert.equal(all.nextExpiry, Number.POSITIVE_INFINITY)
  const poor = uploads({}, new ByteBudget(16))
  assert.equal(codeFrom(poor.accept('k', part(0, true, bytes(16)), 0)), '2.31')
  assert.equal(codeFrom(poor.accept('k', part(1, true, bytes(16)), 0)), '5.03')
})

function downloads(budget = new ByteBudget(10_000)) {
  return new Downloads({ maxDownloads: 2, firstWaitMs: 100, nextWaitMs: 1000, maxSzx: 0 }, budget)
}

function option(response: Response | undefined, number: number): Uint8Array | undefined {
  return response?.options?.find((candidate) => candidate.number === number)?.value
}

const ask = (number: number): Block => ({ number, more: false, szx: 0 })

function fetchNext(all: Downloads, number: number, now: number): Response | 'beyond-end' | undefined {
  let part: Response | 'beyond-end' | undefined
  const known = all.next('k', ask(number), now, (sent) => {
    part = sent
  })
  assert.equal(known, part !== undefined)
  return part
}

test('a large body is kept until its last block was fetched', () => {
  const budget = new ByteBudget(10_000)
  const all = downloads(budget)
  let fetched = 0
  const first = all.begin('k', { code: CONTENT, payload: bytes(40) }, undefined, 0, () => fetched++)
  assert.equal(first?.payload?.length, 16)
  assert.deepEqual([option(first, SIZE2), budget.used, fetched], [Uint8Array.of(40), 40, 0])
  const second = fetchNext(all, 1, 50)
  assert.ok(second !== undefined && second !== 'beyond-end')
  assert.deepEqual(option(second, ETAG), option(first, ETAG))
  assert.equal(option(second, SIZE2), undefined)
  assert.equal(fetchNext(all, 9, 50), 'beyond-end')
  const last = fetchNext(all, 2, 50)
  assert.ok(last !== undefined && last !== 'beyond-end')
  assert.deepEqual([last.payload?.length, fetched, budget.used, fetchNext(all, 2, 50)], [8, 1, 0, undefined])
})

test('what fits is sent as it is', () => {
  let fetched = 0
  const response = { code: CONTENT, payload: bytes(16) }
  const all = downloads()
  assert.equal(
    all.begin('k', response, undefined, 0, () => fetched++),
    response,
  )
  assert.deepEqual([fetched, all.size], [1, 0])
  assert.equal(all.begin('k', response, ask(1), 0), undefined)
})

test('a body that nobody fetches is given up: soon at first, later when it was begun', () => {
  const all = downloads()
  const over: string[] = []
  for (const key of ['a', 'b']) all.begin(key, { code: CONTENT, payload: bytes(40) }, undefined, 0, () => over.push(key))
  all.next('b', ask(1), 90, () => {})
  assert.equal(all.nextExpiry, 100)
  assert.equal(all.expire(100), 1)
  assert.deepEqual(over, ['a'])
  assert.equal(all.nextExpiry, 1090)
  assert.equal(all.expire(1090), 1)
  assert.deepEqual(over, ['a', 'b'])
})

test('bodies to be fetched are bounded in number and memory', () => {
  const all = downloads()
  const over: string[] = []
  for (const key of ['a', 'b', 'c']) all.begin(key, { code: CONTENT, payload: bytes(40) }, undefined, 0, () => over.push(key))
  assert.deepEqual([over, all.size], [['a'], 2])
  const poor = downloads(new ByteBudget(10))
  let fetched = 0
  assert.equal(poor.begin('k', { code: CONTENT, payload: bytes(40) }, undefined, 0, () => fetched++)?.payload?.length, 16)
  assert.deepEqual([fetched, poor.size], [1, 0])
})
