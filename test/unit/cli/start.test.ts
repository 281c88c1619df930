import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { openLog } from '../../../src/cli/log.ts'
import { type RunningGateways, readyLine, type SignalSource, start } from '../../../src/cli/start.ts'
import type { EffectiveConfig } from '../../../src/config/effective.ts'
import type { ReloadReport } from '../../../src/runtime/supervisor.ts'
import { configFile, modules, temporaryFolder } from '../config/support.ts'

const NOTHING: ReloadReport = { started: [], stopped: [], restarted: [], applied: [], failed: [], unchanged: [] }
const ALPHA = 'gateways: { alpha: { mode: plain } }\n'

class Signals implements SignalSource {
  readonly #handlers = new Map<string, () => void>()

  on(signal: string, handler: () => void): void {
    this.#handlers.set(signal, handler)
  }

  send(signal: string): void {
    this.#handlers.get(signal)?.()
  }
}

/** Runs `start` with a runtime that binds nothing. `state` is what every gateway comes to. */
interface Behaviour {
  readonly state?: 'running' | 'failed'
  readonly stop?: () => Promise<void>
  /** Called while the runtime starts. */
  readonly starting?: (send: (signal: string) => void) => void
}

function harness(config: string | undefined, { state = 'running', stop = async () => {}, starting }: Behaviour = {}) {
  const lines: Record<string, unknown>[] = []
  const waiting: { until: (line: Record<string, unknown>) => boolean; resolve: () => void }[] = []
  const log = openLog('info', {
    write: (text) => {
      const line = JSON.parse(text) as Record<string, unknown>
      lines.push(line)
      for (const { until, resolve } of waiting) if (until(line)) resolve()
    },
  })
  const signals = new Signals()
  const out: string[] = []
  const reloads: EffectiveConfig[] = []
  const runtime = (started: EffectiveConfig): RunningGateways => ({
    gateways: () => started.gateways.map(({ name }) => ({ name, protocol: name, state })),
    listeners: () =>
      state === 'failed'
        ? []
        : started.gateways.flatMap(({ name, listeners }) =>
            listeners.map(({ type, port, name: listener }) => ({
              gateway: name,
              name: listener,
              type,
              address: `127.0.0.1:${port}`,
            })),
          ),
    core: {} as RunningGateways['core'],
    event: (work) => work(),
    now: () => 0,
    stored: (done) => done(true),
    reload: async (next) => {
      reloads.push(next)
      return NOTHING
    },
    stop,
  })
  let isReady = (): void => {}
  const ready = new Promise<void>((resolve) => (isReady = resolve))
  const ended = start(
    {
      config,
      directory: temporaryFolder(),
      environment: {},
      modules,
      version: '1.2.3',
      log,
      signals,
      startRuntime: async (effective) => {
        starting?.((signal) => signals.send(signal))
        return runtime(effective)
      },
    },
    {
      out: (line) => {
        out.push(line)
        isReady()
      },
      err: () => {},
    },
  )
  const logged = (until: (line: Record<string, unknown>) => boolean) =>
    new Promise<void>((resolve) => waiting.push({ until, resolve }))
  return { lines, signals, out, reloads, ready, ended, logged }
}

describe('ready', () => {
  test('names what listens, and what failed', () => {
    const line = readyLine({
      listeners: () => [
        { gateway: 'a', name: 'tcp-1', type: 'tcp', address: '127.0.0.1:1' },
        { gateway: 'b', name: 'udp-2', type: 'udp', address: '[::1]:2' },
      ],
      gateways: () => [
        { name: 'a', protocol: 'a', state: 'running' },
        { name: 'c', protocol: 'c', state: 'failed', reason: 'x' },
        { name: 'd', protocol: 'd', state: 'disabled' },
        { name: 'e', protocol: 'e', state: 'failed' },
      ],
    })
    assert.equal(line, 'ready a tcp 127.0.0.1:1, b udp [::1]:2; failed: c, e')
  })

  test('without a file each gateway is announced, then ready', async () => {
    const { lines, out, ready, signals, ended } = harness(undefined)
    await ready
    assert.equal(out.length, 1)
    assert.match(out[0] ?? '', /^ready alpha tcp 127\.0\.0\.1:21001, alpha ws 127\.0\.0\.1:21002, beta udp 127\.0\.0\.1:22001$/)
    assert.deepEqual(lines.filter(({ code }) => code === 'config-absent').length, 2)
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })
})

describe('the end', () => {
  test('a config with problems', async () => {
    const { lines, out, ended } = harness(configFile('gateways: { alpha: { moed: x } }'))
    assert.equal(await ended, 1)
    assert.deepEqual(out, [])
    assert.deepEqual(
      lines.map(({ level, code }) => [level, code]),
      [['error', 'config-unknown-key']],
    )
  })

  test('no gateway runs', async () => {
    let stopped = false
    const stop = async (): Promise<void> => {
      stopped = true
    }
    const { lines, out, ended } = harness(configFile(ALPHA), { state: 'failed', stop })
    assert.equal(await ended, 1)
    assert.deepEqual([out, stopped], [[], true])
    assert.equal(lines.at(-1)?.['code'], 'start-nothing-runs')
  })

  test('SIGINT drains and ends well', async () => {
    let drained = (): void => {}
    const { ready, signals, ended, lines } = harness(configFile(ALPHA), {
      stop: () => new Promise((resolve) => (drained = resolve)),
    })
    await ready
    signals.send('SIGINT')
    await Promise.resolve()
    setImmediate(() => drained())
    assert.equal(await ended, 0)
    assert.deepEqual(
      lines.slice(-2).map(({ msg }) => msg),
      ['stopping: no new connections, draining the open ones', 'stopped'],
    )
  })

  test('a second signal does not wait', async () => {
    const { ready, signals, ended } = harness(configFile(ALPHA), { stop: () => new Promise(() => {}) })
    await ready
    signals.send('SIGTERM')
    signals.send('SIGTERM')
    assert.equal(await ended, 1)
  })

  test('a stop that fails', async () => {
    const { ready, signals, ended, lines } = harness(configFile(ALPHA), { stop: () => Promise.reject(new Error('stuck')) })
    await ready
    signals.send('SIGTERM')
    assert.equal(await ended, 1)
    assert.equal(lines.at(-1)?.['msg'], 'the stop failed')
  })
})

describe('SIGHUP', () => {
  test('brings the new config to the runtime, and says what changed', async () => {
    const file = configFile(ALPHA)
    const { ready, signals, ended, lines, logged, reloads } = harness(file)
    await ready
    const reloaded = logged(({ msg }) => msg === 'config reloaded')
    writeFileSync(file, 'node: { name: other, logLevel: debug }\ngateways: { alpha: { mode: strict }, beta: {} }\n')
    signals.send('SIGHUP')
    await reloaded
    assert.deepEqual(
      reloads.map(({ gateways }) => gateways.map(({ name }) => name)),
      [['alpha', 'beta']],
    )
    const late = lines.find(({ keys }) => String(keys) === 'node.name')
    assert.equal(late?.['msg'], 'these keys take effect when Omnigate is restarted')
    assert.ok(
      lines.some(
        ({ msg, gateway, keys, reload }) =>
          msg === 'gateway changed' && gateway === 'alpha' && String(keys) === 'mode' && reload === 'live',
      ),
    )
    assert.ok(lines.some(({ msg, gateway }) => msg === 'gateway added' && gateway === 'beta'))
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })

  test('a config with problems changes nothing', async () => {
    const file = configFile(ALPHA)
    const { ready, signals, ended, lines, logged, reloads } = harness(file)
    await ready
    const refused = logged(({ code }) => code === 'reload-failed')
    writeFileSync(file, 'gateways: { alpha: { mode: fancy } }\n')
    signals.send('SIGHUP')
    await refused
    assert.deepEqual(reloads, [])
    assert.ok(lines.some(({ msg }) => String(msg).includes('gateways.alpha.mode: "fancy" is not valid here')))
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })

  test('a signal during a reload reads once more after it', async () => {
    const file = configFile(ALPHA)
    const { ready, signals, ended, logged, reloads, lines } = harness(file)
    await ready
    const twice = logged(() => lines.filter(({ msg }) => msg === 'config reloaded').length === 2)
    signals.send('SIGHUP')
    signals.send('SIGHUP')
    signals.send('SIGHUP')
    await twice
    assert.equal(reloads.length, 2)
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })

  test('a signal during the start counts', async () => {
    const { ready, signals, ended, logged, reloads } = harness(configFile(ALPHA), { starting: (send) => send('SIGHUP') })
    const reloaded = logged(({ msg }) => msg === 'config reloaded')
    await ready
    await reloaded
    assert.equal(reloads.length, 1)
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })

  test('without a file there is nothing to read', async () => {
    const { ready, signals, ended, logged, reloads } = harness(undefined)
    await ready
    const said = logged(({ msg }) => String(msg).includes('without a config file'))
    signals.send('SIGHUP')
    await said
    assert.deepEqual(reloads, [])
    signals.send('SIGTERM')
    assert.equal(await ended, 0)
  })
})
