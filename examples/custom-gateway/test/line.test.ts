/** The gateway in the test world: no socket, no waiting. Dialogues are scripts, see specs/scripts.md of Omnigate. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMalformed } from 'omnigate/sdk'
import { runScript, World } from 'omnigate/testing'
import { decodeLine, encodeLine, wire } from '../codec/index.ts'
import { notation } from '../codec/notation.ts'
import manifest from '../index.ts'

function dialogue(name: string, script: string): void {
  test(name, () => runScript(script, name, () => Promise.resolve({ module: manifest, wire, notation })))
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

dialogue(
  'a device logs in, reports and leaves',
  `
  gateway line
  app subscribes devices/+/up/telemetry
  app subscribes devices/m1/status
  a = tcp
  a>> LOGIN m1
  app<< devices/m1/status {"online":true,"protocol":"line"}
  a<< WELCOME m1
  a>> DATA 1 {"temperature_c":21.5}
  a<< OK 1
  app<< devices/m1/up/telemetry {"v":1,"device":"m1","protocol":"line","gateway":"line","type":"measurement","data":{"values":{"temperature_c":21.5}}}
  a>> BYE
  a closed disconnected
  app<< devices/m1/status {"online":false,"reason":"disconnected"}`,
)

dialogue(
  'a command goes down and is answered by the device',
  `
  gateway line
  app subscribes devices/m1/up/response
  a = tcp
  a>> LOGIN m1
  a<< WELCOME m1
  app>> devices/m1/down/command {"id":"42","name":"message","args":{"text":"door 3 is open"}}
  a<< DOWN $n door 3 is open
  a>> DONE $n
  app<< devices/m1/up/response {"id":"42","ok":true}
  app>> devices/m1/down/command {"id":"43","name":"message","args":{"text":"x"}}
  a<< DOWN $m x
  a>> FAIL $m no display
  app<< devices/m1/up/response {"id":"43","ok":false,"error":{"code":"refused","message":"no display"}}
  a>> DONE $m
  counter unmatched-answer 1`,
)

dialogue(
  'every command has one answer: unsupported, bad-request, too-large, timeout, offline',
  `
  gateway line {"maxLine":"64B"}
  app subscribes devices/m1/up/response
  a = tcp
  a>> LOGIN m1
  a<< WELCOME m1
  app>> devices/m1/down/command {"id":"1","name":"reboot"}
  app<< devices/m1/up/response {"id":"1","error":{"code":"unsupported"}}
  app>> devices/m1/down/command {"id":"2","name":"message","args":{}}
  app<< devices/m1/up/response {"id":"2","error":{"code":"bad-request"}}
  app>> devices/m1/down/command {"id":"3","name":"message","args":{"text":"0123456789012345678901234567890123456789012345678901234567890"}}
  app<< devices/m1/up/response {"id":"3","error":{"code":"too-large"}}
  app>> devices/m1/down/command {"id":"4","name":"message","args":{"text":"x"},"timeout_s":5}
  a<< DOWN * x
  ~ 5s app<< devices/m1/up/response {"id":"4","error":{"code":"timeout"}}
  app>> devices/m1/down/command {"id":"5","name":"message","args":{"text":"x"}}
  a<< DOWN * x
  a hangs up
  app<< devices/m1/up/response {"id":"5","error":{"code":"offline"}}`,
)

dialogue(
  'what is not understood is answered and counted, what is too long ends the session',
  `
  gateway line {"maxLine":"16B"}
  a = tcp
  a>> PING
  a<< ERR login first
  a>> LOGIN m1
  a<< WELCOME m1
  a>> HELLO
  a<< ERR unknown-verb
  a>> DATA one 2
  a<< ERR no-number
  a>> DATA 1 21.5
  a<< NO 1 no JSON object
  a>> WELCOME m1
  a<< ERR WELCOME is not for devices
  a>> hex ff fe 0a
  a<< ERR no-utf-8
  a open
  a>> DATA 1 {"abcdefghijkl":1}
  a<< ERR line-too-long
  a closed too-large
  malformed line-too-long 1
  clients 0`,
)

dialogue(
  'silence ends a connection before the login, and a session behind it',
  `
  gateway line {"loginTimeout":"3s","idleTimeout":"20s"}
  a = tcp
  ~ 3s a closed connect-timeout
  b = tcp
  b>> LOGIN m1
  b<< WELCOME m1
  ~ 19s
  b>> PING
  b<< PONG
  ~ 20s b closed keepalive-timeout
  quiet timers=0`,
)

dialogue(
  'who may not connect is told why; who comes twice takes over',
  `
  gateway line
  deny connect bad bad-credentials
  a = tcp
  a>> LOGIN bad
  a<< ERR bad-credentials
  a closed not-authorized
  b = tcp
  b>> LOGIN m1
  b<< WELCOME m1
  c = tcp
  c>> LOGIN m1
  c<< WELCOME m1
  b closed taken-over`,
)

test('lines that wait for a login are handled behind it, in order', async () => {
  let admit: (verdict: { ok: true }) => void = () => {}
  const authenticate = () =>
    new Promise<{ ok: true }>((resolve) => {
      admit = resolve
    })
  const world = new World({ access: { authenticate } })
  const gateway = await world.gateway(manifest)
  const peer = gateway.connect()
  peer.send(bytes('LOGIN m1\nPING\nDATA 1 {}\n'))
  assert.deepEqual(peer.take(), [])
  admit({ ok: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(Buffer.concat(peer.take()).toString(), 'WELCOME m1\nPONG\nOK 1\n')
})

test('lines go around', () => {
  for (const line of [
    'LOGIN m1',
    'LOGIN a b',
    'DATA 0 {}',
    'DONE 999999999',
    'FAIL 7 no paper',
    'DOWN 65535 x',
    'PING',
    'PONG',
  ]) {
    const decoded = decodeLine(bytes(`${line}\n`))
    assert.ok(!isMalformed(decoded), line)
    assert.equal(Buffer.from(encodeLine(decoded)).toString(), `${line}\n`)
    assert.deepEqual(decodeLine(bytes(`${line}\r\n`)), decoded)
  }
})

test('what is no line is a value with a reason', () => {
  for (const [line, reason] of [
    ['', 'unknown-verb'],
    ['ping', 'unknown-verb'],
    ['constructor', 'unknown-verb'],
    ['LOGIN', 'incomplete'],
    ['DATA', 'incomplete'],
    ['DATA 1', 'incomplete'],
    ['DATA 01 {}', 'no-number'],
    ['DATA -1 {}', 'no-number'],
    ['DATA 1000000000 {}', 'no-number'],
    ['DONE 1 x', 'surplus'],
    ['PING x', 'surplus'],
  ]) {
    const decoded = decodeLine(bytes(`${line}\n`))
    assert.equal(isMalformed(decoded) && decoded.malformed, reason, line)
  }
})
