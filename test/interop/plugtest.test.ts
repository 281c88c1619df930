/** The plugtest server with libcoap's client as the client under test, and Wireshark as the judge. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PlugtestServer } from '../../examples/coap-plugtest-server/server.ts'
import { Child, type Cleanup } from '../e2e/child.ts'
import { run } from '../support/process.ts'
import { capture } from './capture.ts'
import { cannotCapture, lacking, program } from './program.ts'

const CLIENTS = ['coap-client-notls', 'coap-client', 'coap-client-openssl', 'coap-client-gnutls'] as const

let server: PlugtestServer
let port = 0
let folder = ''

function uri(path: string): string {
  return `coap://127.0.0.1:${port}${path}`
}

interface Answer {
  readonly payload: string
  /** Errors and their codes, and with `-v 6` every message. */
  readonly trace: string
}

async function coap(...args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await run(program(...CLIENTS), ['-B', '20', ...args])
  assert.equal(code, 0, stderr)
  return { payload: stdout.trimEnd(), trace: `${stdout}${stderr}`.trimEnd() }
}

/** With the messages of both sides. */
function traced(...args: readonly string[]): Promise<Answer> {
  return coap('-v', '6', ...args)
}

function observe(path: string, cleanup: Cleanup, ...args: readonly string[]): Child {
  const own = ['-oL', program(...CLIENTS), '-w', '-s', '60', '-B', '60', '-m', 'get']
  return new Child(program('stdbuf'), [...own, ...args, uri(path)], {}, cleanup)
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const LARGE = 'abcdefghij'.repeat(10 * 1024)

describe('the plugtest server and coap-client', { skip: lacking(CLIENTS.join('|')) }, () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omnigate-plugtest-'))
    server = new PlugtestServer({ host: '127.0.0.1', port: 0 })
    port = await server.start()
  })
  after(() => {
    server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const [type, args] of [
    ['CON', []],
    ['NON', ['-N']],
  ] as const) {
    test(`the methods, ${type}`, async () => {
      assert.match((await coap(...args, '-m', 'get', uri('/test'))).payload, new RegExp(`^Type: ${type}\nCode: 0.01 GET`))
      for (const [method, code] of [
        ['post', '2.01'],
        ['put', '2.04'],
        ['delete', '2.02'],
      ] as const) {
        const { trace } = await traced(...args, '-m', method, '-e', 'x', uri('/test'))
        assert.match(trace, new RegExp(`t:${type === 'CON' ? 'ACK' : 'NON'} c:${code.replace('.', '\\.')}`), method)
      }
    })
  }

  test('separate responses, to CON and NON', async () => {
    assert.match((await coap('-m', 'get', uri('/separate'))).payload, /^Type: CON/)
    assert.match((await coap('-N', '-m', 'get', uri('/separate'))).payload, /^Type: NON/)
  })

  test('a network that loses the first request', async () => {
    for (const path of ['/test', '/separate']) {
      assert.match((await coap('-l', '1', '-B', '60', '-m', 'get', uri(path))).payload, /^Type: CON/)
    }
  })

  test('long paths, queries, locations, formats', async () => {
    assert.match((await coap('-m', 'get', uri('/seg1/seg2/seg3'))).payload, /^Type: CON/)
    assert.match((await coap('-m', 'get', uri('/query?first=1&second=2'))).payload, /Uri-Query: first=1&second=2$/)
    assert.match(
      (await traced('-m', 'post', uri('/test'))).trace,
      /Location-Path:location1, Location-Path:location2, Location-Path:location3/,
    )
    assert.match((await traced('-m', 'post', uri('/location-query'))).trace, /Location-Query:first=1, Location-Query:second=2/)
    assert.match((await coap('-A', '41', '-m', 'get', uri('/multi-format'))).payload, /^<request>/)
    assert.match((await coap('-A', '47', '-m', 'get', uri('/multi-format'))).trace, /^4\.06/)
  })

  test('validation and conditions', async () => {
    const { trace } = await traced('-m', 'get', uri('/validate'))
    const [, tag = ''] = /ETag:0x([0-9a-f]+)/.exec(trace) ?? assert.fail(trace)
    assert.match((await traced('-O', `4,0x${tag}`, '-m', 'get', uri('/validate'))).trace, /c:2\.03/)
    assert.match((await traced('-O', `1,0x${tag}`, '-m', 'put', '-e', 'new', uri('/validate'))).trace, /c:2\.04/)
    assert.match((await traced('-O', `1,0x${tag}`, '-m', 'put', '-e', 'newer', uri('/validate'))).trace, /c:4\.12/)
    assert.match((await traced('-O', `4,0x${tag}`, '-m', 'get', uri('/validate'))).trace, /c:2\.05/)
    assert.match((await traced('-O', '5,', '-m', 'put', '-e', 'x', uri('/create1'))).trace, /c:2\.01/)
    assert.match((await traced('-O', '5,', '-m', 'put', '-e', 'x', uri('/create1'))).trace, /c:4\.12/)
  })

  test('100 KiB go up in blocks and come down in blocks', async () => {
    const path = file('large', LARGE)
    const { trace } = await coap('-B', '60', '-m', 'put', '-f', path, uri('/large-update'))
    assert.equal(trace, '')
    const received = join(folder, 'received')
    await coap('-B', '60', '-m', 'get', '-o', received, uri('/large-update'))
    assert.ok(readFileSync(received, 'utf8') === LARGE)
  })

  for (const size of ['16', '64', '1024']) {
    test(`blocks of ${size}, each way and both`, async () => {
      assert.match(
        (await coap('-b', size, '-m', 'get', uri('/large'))).payload,
        /^\/large \.+\nline 2 of 20 [\s\S]*line 20 of 20 \.+$/,
      )
      const path = file(`body-${size}`, LARGE.slice(0, 3000))
      const { trace } = await traced('-b', size, '-m', 'post', '-f', path, uri('/large-create'))
      const [, location = ''] = /Location-Path:large-create, Location-Path:(\d+)/.exec(trace) ?? assert.fail(trace)
      assert.equal((await coap('-b', size, '-m', 'get', uri(`/large-create/${location}`))).payload, LARGE.slice(0, 3000))
      const { payload } = await coap('-b', size, '-m', 'post', '-f', path, uri('/large-post'))
      assert.match(payload, /^\/large-post: received 3000 octets [\s\S]*line 20 of 20 \.+$/)
    })
  }

  for (const path of ['/obs', '/obs-non', '/obs-large', '/obs-pumping']) {
    test(`observation of ${path}`, async (t) => {
      const observer = observe(path, t)
      const [first] = await observer.line(/^\d\d:\d\d:\d\d/)
      await observer.line(new RegExp(`^(?!${first})\\d\\d:\\d\\d:\\d\\d`))
    })
  }

  test('an observer is told of PUT, and of DELETE for the last time', async (t) => {
    const observer = observe('/obs', t)
    await observer.line(/^\d\d:\d\d:\d\d/)
    await coap('-m', 'put', '-t', '0', '-e', 'by-put', uri('/obs'))
    await observer.line(/^by-put$/)
    await coap('-m', 'delete', uri('/obs'))
    await observer.line(/4\.04/)
  })

  test('discovery and its filters', async () => {
    const list = async (query: string) => (await coap('-m', 'get', uri(`/.well-known/core${query}`))).payload
    assert.match(await list(''), /<\/test>;ct=0,/)
    assert.equal(await list('?rt=Type1'), '</link1>;rt="Type1 Type2";if="If1",</link3>;rt="Type1 Type3";if="foo"')
    assert.match(await list('?rt=*'), /^<\/link1>.*<\/obs>/)
    assert.equal(await list('?if=If*'), '</link1>;rt="Type1 Type2";if="If1",</link2>;rt="Type2 Type3";if="If2"')
    assert.match(await list('?sz=*'), /^<\/large>/)
    assert.equal(await list('?href=/link1'), '</link1>;rt="Type1 Type2";if="If1"')
    assert.equal(await list('?ct=40'), '</path>;ct=40')
  })

  test('Wireshark finds nothing malformed', { skip: lacking('tshark') || cannotCapture() }, async (t) => {
    const path = file('small', LARGE.slice(0, 2000))
    const traffic = async (): Promise<void> => {
      for (const resource of ['/test', '/separate', '/large', '/validate', '/multi-format', '/.well-known/core', '/none']) {
        await coap('-m', 'get', uri(resource))
        await coap('-N', '-m', 'get', uri(resource))
      }
      await coap('-b', '64', '-m', 'put', '-f', path, uri('/large-update'))
      await coap('-b', '64', '-m', 'post', '-f', path, uri('/large-post'))
      await coap('-m', 'post', '-e', 'x', uri('/test'))
      await coap('-m', 'post', '-e', 'x', uri('/location-query'))
      await coap('-O', '9999,x', '-m', 'get', uri('/test'))
      await coap('-s', '1', '-m', 'get', uri('/obs-large'))
    }
    const captured = await capture([port], traffic, t)
    const decodeAs = [`udp.port==${port},coap`]
    // Wireshark 4.0 takes the client's Request-Tag for an invalid option: only what the server sent is judged.
    const faulty = `udp.srcport == ${port} && (_ws.malformed || coap && _ws.expert.severity == "Error")`
    assert.deepEqual(await captured.packets(faulty, decodeAs), [])
    assert.ok((await captured.packets(`coap && udp.srcport == ${port}`, decodeAs)).length > 60)
  })
})

test('one command starts the server, and SIGTERM ends it', async (t) => {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  const main = fileURLToPath(new URL(`../../examples/coap-plugtest-server/main${extension}`, import.meta.url))
  const own = process.execArgv.filter((argument) => !argument.startsWith('--test'))
  const child = new Child(process.execPath, [...own, main, '--port', '0'], {}, t)
  await child.line(/^ready coap:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(await child.stop('SIGTERM'), 0)
})
