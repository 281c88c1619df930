/** Medians, ratios and errors of the report. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latency } from './load/latency.ts'
import type { Outcome } from './measure.ts'
import { parseCpuList } from './proc.ts'
import type { Series } from './report.ts'
import { median, summarize, table } from './report.ts'
import type { ServerName } from './servers.ts'

function load(delivered: number, serverCpuSeconds: number): Outcome {
  return {
    load: { delivered, seconds: 2, serverCpuSeconds, generatorCpuSeconds: 1, p50Ms: 1.25, p99Ms: null, maxMs: 8, rssKb: 50_000 },
  }
}

function memory(rssKb: number): Outcome {
  return { memory: { clients: 1000, baseKb: 10_000, rssKb } }
}

function series(name: string, server: ServerName, outcomes: Outcome[], error?: string): Series {
  return { name, title: name, server, outcomes, error }
}

test('median of none, odd and even', () => {
  assert.equal(median([]), null)
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
})

test('a row is the median of its rounds; the ratio is ours to theirs', () => {
  const [ours, theirs] = summarize([
    series('fanin', 'omnigate', [load(1000, 1), load(3000, 1), load(2000, 1)]),
    series('fanin', 'aedes', [load(500, 1)]),
  ]).map(({ row }) => row)
  assert.deepEqual(ours, {
    name: 'fanin',
    server: 'omnigate',
    perCpuSecond: 2000,
    perSecond: 1000,
    p50Ms: 1.25,
    p99Ms: null,
    maxMs: 8,
    rssKb: 50_000,
    ratio: 1,
  })
  assert.equal(theirs?.ratio, 4)
})

test('where a time counts, the ratio is theirs to ours', () => {
  const pause = (server: ServerName, maxMs: number): Series => {
    const outcome = load(1000, 1)
    const outcomes = 'load' in outcome ? [{ load: { ...outcome.load, maxMs } }] : []
    return { ...series('pause', server, outcomes), comparedBy: 'maxMs' }
  }
  assert.deepEqual(
    summarize([pause('omnigate', 20), pause('mosquitto', 50)]).map(({ row }) => row.ratio),
    [1, 2.5],
  )
})

test('one failed round fails the series: no numbers, and no ratio to it', () => {
  const summary = summarize([
    series('fanin', 'omnigate', [load(1000, 1)], 'lost messages'),
    series('fanin', 'aedes', [load(500, 1)]),
  ])
  assert.deepEqual(
    summary.map(({ row }) => [row.perCpuSecond, row.rssKb, row.ratio]),
    [
      [null, null, null],
      [500, 50_000, null],
    ],
  )
  assert.match(table(summary), /omnigate {2}ERROR: lost messages/)
})

test('memory has a row for one client and one for the process; less of it is better', () => {
  const rows = summarize([
    series('memory-tcp-client', 'omnigate', [memory(14_000)]),
    series('memory-tcp-client', 'aedes', [memory(30_000)]),
  ]).map(({ row }) => [row.name, row.server, row.rssKb, row.ratio])
  assert.deepEqual(rows, [
    ['memory-tcp-client', 'omnigate', 4, 1],
    ['memory-tcp-client', 'aedes', 20, 5],
    ['memory-tcp-client-total', 'omnigate', 14_000, 1],
    ['memory-tcp-client-total', 'aedes', 30_000, 2.14],
  ])
})

test('latency keeps percentiles when it has to thin out', () => {
  const latency = new Latency()
  assert.equal(latency.percentile(0.5), null)
  const total = 3_000_000
  for (let i = 0; i < total; i++) latency.add(i / total)
  assert.ok(Math.abs((latency.percentile(0.5) ?? 0) - 0.5) < 0.001)
  assert.ok(Math.abs((latency.percentile(0.99) ?? 0) - 0.99) < 0.001)
  latency.clear()
  latency.add(7)
  assert.equal(latency.percentile(0.99), 7)
})

test('CPU lists', () => {
  assert.deepEqual(parseCpuList('0-2,5'), [0, 1, 2, 5])
  assert.deepEqual(parseCpuList(''), [])
})
