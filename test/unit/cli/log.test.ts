import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog, readable } from '../../../src/cli/log.ts'
import type { LogLevel } from '../../../src/config/effective.ts'

function record(level: LogLevel) {
  const lines: string[] = []
  const log = openLog(level, { write: (line) => void lines.push(line) })
  return { log, take: () => lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>) }
}

test('lines are JSON with level, time and message', () => {
  const { log, take } = record('info')
  log.info({ count: 2 }, 'hello')
  const [line] = take()
  assert.deepEqual({ ...line, time: undefined }, { level: 'info', time: undefined, count: 2, msg: 'hello' })
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('gateways have children that follow the level and carry their name once', () => {
  const { log, take } = record('warn')
  const child = log.gateway('trucks')
  child.info({}, 'too quiet')
  assert.deepEqual(take(), [])
  log.setLevel('debug')
  child.debug({ gateway: 'trucks', x: 1 }, 'loud enough')
  log.gateway('trucks').error({}, 'same')
  assert.deepEqual(
    take().map(({ gateway, x, msg }) => [gateway, x, msg]),
    [
      ['trucks', 1, 'loud enough'],
      ['trucks', undefined, 'same'],
    ],
  )
})

test('the node is named, also by gateways that come later', () => {
  const { log, take } = record('info')
  log.setNode('edge-1')
  log.info({}, 'a')
  log.gateway('trucks').warn({}, 'b')
  assert.deepEqual(
    take().map(({ node, gateway }) => [node, gateway]),
    [
      ['edge-1', undefined],
      ['edge-1', 'trucks'],
    ],
  )
})

test('errors keep message and stack', () => {
  const { log, take } = record('info')
  log.error({ error: new TypeError('broken') }, 'oh')
  log.error({ error: 'text' }, 'oh')
  const [first, second] = take()
  const error = first?.['error'] as Record<string, unknown>
  assert.equal(error['message'], 'broken')
  assert.match(String(error['stack']), /^TypeError: broken\n/)
  assert.equal(second?.['error'], 'text')
})

test('on a terminal a line is for reading', () => {
  const lines: string[] = []
  const log = openLog('debug', { write: (line) => void lines.push(readable(line).slice('00:00:00.000 '.length)) })
  log.setNode('edge-1')
  log.gateway('trucks').warn({ peer: '127.0.0.1:1', sizes: [1, 2] }, 'slow')
  log.info({}, 'ready')
  log.error({ error: 'text' }, 'oh')
  log.error({ error: Object.assign(new Error('bad'), { stack: 'Error: bad\n    at here' }) }, 'oh')
  assert.deepEqual(lines, [
    'WARN  trucks: slow peer=127.0.0.1:1 sizes=[1,2]',
    'INFO  ready',
    'ERROR oh error=text',
    'ERROR oh error=bad\nError: bad\n    at here',
  ])
  const coloured = readable('{"level":"info","time":"2026-01-02T03:04:05.678Z","msg":"x"}', true)
  assert.equal(coloured, '\u001b[90m03:04:05.678\u001b[0m \u001b[32mINFO \u001b[0m x')
})
