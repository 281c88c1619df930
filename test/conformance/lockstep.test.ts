/** The script runner itself: what it reads, what it sees, and how it says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notation, ScriptGateway } from '../../src/testing.ts'
import { parseScript, runScript, ScriptError } from '../../src/testing.ts'
import { lineSubject } from '../property/line-gateway.ts'
import { readText } from '../support/project.ts'
import { findInstalled } from './installed.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function gateway(defect?: Parameters<typeof lineSubject>[0]): ScriptGateway {
  const { module, wire } = lineSubject(defect)
  const notation = (): Notation => ({
    encode: (text) => encoder.encode(`${text}\n`),
    decode: (frame) => decoder.decode(frame).trimEnd(),
  })
  return { module, wire, notation }
}

function run(text: string, defect?: Parameters<typeof lineSubject>[0]): Promise<void> {
  return runScript(text, 'x.script', (protocol) => Promise.resolve(protocol === 'line' ? gateway(defect) : undefined))
}

const LOGIN = 'gateway line\na = tcp\na>> LOGIN d1\na<< OK\n'

test('a dialogue that holds', async () => {
  await run(
    `${LOGIN}app subscribes data\na>> DATA 21.5\na<< OK\napp<< data "21.5" qos=0\nquiet\nclients 1\na hangs up\nclients 0`,
  )
})

for (const [what, script, message] of [
  ['another answer', `${LOGIN}a>> DATA x\na<< ERR`, /^x\.script:6: \n {2}expected: {3}ERR\n {2}actual: {5}OK$/],
  ['no answer', `${LOGIN}a<< OK`, /x\.script:5: \n {2}expected: {3}OK\n {2}actual: {5}nothing/],
  [
    'an answer where there should be none',
    `${LOGIN}a>> DATA x\na<< nothing`,
    /:6: \n {2}expected: {3}nothing\n {2}actual: {5}OK/,
  ],
  ['an answer that nobody looked at', `${LOGIN}a>> DATA x`, /:5: the script ends, but a was sent: OK/],
  [
    'a message that nobody looked at',
    `${LOGIN}app subscribes data\na>> DATA x\na<< OK`,
    /:7: the script ends, but app was sent: data "x" qos=0/,
  ],
  [
    'another message',
    `${LOGIN}app subscribes data\na>> DATA x\na<< OK\napp<< data "y"`,
    /expected: {3}data "y"\n {2}actual: {5}data "x" qos=0/,
  ],
  ['a session that is open', `${LOGIN}a closed`, /:5: \n {2}expected: {3}a closed\n {2}actual: {5}a is open/],
  ['another reason', `${LOGIN}a hangs up\na closed idle`, /:6: \n {2}expected: {3}idle\n {2}actual: {5}connection-lost/],
  ['a session that is closed', `${LOGIN}a hangs up\na open`, /:6: a was closed: connection-lost/],
  ['another count', `${LOGIN}a>> ?\nmalformed no-line 2`, /:6: no-line\n {2}expected: {3}2\n {2}actual: {5}1/],
  ['unread frames', `${LOGIN}a>> DATA x\nquiet`, /:6: not quiet: a was sent: OK/],
  ['an armed timer', `${LOGIN}quiet timers=1`, /timers\n {2}expected: {3}1\n {2}actual: {5}0/],
  ['what comes too early', `${LOGIN}a>> DATA x\n~ 3s a<< OK`, /:6: before its time a was sent: OK/],
  ['what does not come', `${LOGIN}~ 3s a<< OK`, /:5: \n {2}expected: {3}OK\n {2}actual: {5}nothing/],
  ['a gateway that does not exist', 'gateway nothing', /:1: there is no gateway nothing/],
  ['a device that does not exist', `${LOGIN}b>> DATA x`, /:5: nobody is called b/],
  ['a device where an application should stand', `${LOGIN}a subscribes data`, /:5: a is a device/],
  ['a session that nobody has', `${LOGIN}kick d2`, /:5: there is no client d2/],
  ['a line that is no step', `${LOGIN}a > DATA x`, /:5: this is no step of a script: a > DATA x/],
  ['a config that is no JSON', 'gateway line {x}', /:1: the config is no JSON/],
  ['a config that its gateway refuses', 'gateway line {"x":1}', /:1: config of line/],
  ['a span of time for nothing', `${LOGIN}~ 1s..2s`, /:5: a span of time needs/],
  ['a script without a gateway', 'a = tcp', /"x" names no gateway/],
] as const) {
  test(`it sees ${what}`, () => assert.rejects(run(script), { name: 'ScriptError', message }))
}

test('it sees a session that fails', () =>
  assert.rejects(run('gateway line\na = tcp\na>> ?', 'throws'), /a session failed: .*no line/))

test('a message names the requirement, not any comment', async () => {
  const failing = `# Logins are answered.   [L 1]\n# as everybody knows\n${LOGIN}a<< OK`
  await assert.rejects(run(failing), /x\.script:7:[\s\S]*required: {3}Logins are answered\. \[L 1\]$/)
})

test('scenarios have worlds of their own', async () => {
  const script = `== one\n${LOGIN}== two\ngateway line\na = tcp\nclients 0\na>> DATA x\na<< ERR`
  assert.deepEqual(
    parseScript(script, 'x.script').map(({ title }) => title),
    ['one', 'two'],
  )
  await run(script)
})

test('patterns: any word, part of a word, the rest, names that are kept, JSON', async () => {
  const logged = `${LOGIN}app subscribes data\n`
  const said = (text: string): string => `a>> DATA ${text}\na<< OK\n`
  await run(`${logged}a>> DATA x\na<< *\napp<< d*a *`)
  await run(`${logged}a>> DATA x\na<< OK ...\napp<< data $x\n${said('$x')}app<< data "x"`)
  await run(`${logged}${said('{"v":1,"id":"a"}')}app<< data {"id":"$x","v":"*"}\n${said('$x')}app<< data a`)
  await assert.rejects(run(`${logged}${said('{"v":1}')}app<< data {"v":2}`), ScriptError)
  await assert.rejects(run(`${logged}${said('a')}app<< data $x\n${said('b')}app<< data $x`), ScriptError)
  await assert.rejects(run(`${logged}${said('a')}app<< data a retain`), ScriptError)
})

test('octets, with and without a notation', async () => {
  await run('gateway line\na = tcp\na>> hex 4c4f47494e20610a\na<< hex 4f4b **\n')
  await run('gateway line\na = tcp\na>> hex 4c4f47494e20610a\na<< hex 4f ..\n')
  await assert.rejects(run('gateway line\na = tcp\na>> hex 4c4f47494e20610a\na<< hex 4f4b\n'), /actual: {5}hex 4f 4b 0a/)
})

test('the example of specs/scripts.md holds', {
  skip: (await findInstalled('mqtt')) === undefined && 'no gateway mqtt on disk',
}, async () => {
  const [, example = ''] = /```\n(== [\s\S]*?)```/.exec(readText('specs/scripts.md')) ?? []
  await runScript(example, 'specs/scripts.md', findInstalled)
})
