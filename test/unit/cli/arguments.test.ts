import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, parseCommand } from '../../../src/cli/arguments.ts'
import { GatewayError } from '../../../src/config/errors.ts'

test('commands', () => {
  const cases: [line: string, command: Command][] = [
    ['', { name: 'start', config: undefined }],
    ['start', { name: 'start', config: undefined }],
    ['--config a.yaml', { name: 'start', config: 'a.yaml' }],
    ['start -c a.yaml', { name: 'start', config: 'a.yaml' }],
    ['start --config=a.yaml', { name: 'start', config: 'a.yaml' }],
    ['check a.yaml', { name: 'check', file: 'a.yaml' }],
    ['schema', { name: 'schema', gateway: undefined }],
    ['schema alpha', { name: 'schema', gateway: 'alpha' }],
    ['--version', { name: 'version' }],
    ['-V', { name: 'version' }],
    ['check --help', { name: 'help' }],
  ]
  for (const [line, command] of cases) assert.deepEqual(parseCommand(line.split(' ').filter(Boolean)), command, line)
})

test('what means nothing says what was meant', () => {
  const cases: [line: string, message: string, hint: string][] = [
    ['stat', 'unknown command "stat"', 'did you mean "start"?'],
    ['frobnicate', 'unknown command "frobnicate"', 'commands are start, check, schema; run omnigate --help'],
    ['my.yaml', 'unknown command "my.yaml"', 'to run with this file, write omnigate --config my.yaml'],
    ['start my.yaml', 'start takes no operand, not "my.yaml"', 'write omnigate start --config my.yaml'],
    ['check', 'check needs a file', 'write omnigate check omnigate.yaml'],
    ['check a b', 'check takes one operand, not "a b"', 'give one at a time'],
    ['check --config a', '--config belongs to start', 'write omnigate check a'],
    ['schema -c a', '--config belongs to start', 'leave it out'],
    ['--confg a', 'unknown option --confg', 'did you mean --config?'],
    ['-x', 'unknown option -x', 'run omnigate --help'],
  ]
  for (const [line, message, hint] of cases) {
    assert.throws(
      () => parseCommand(line.split(' ')),
      (error) => {
        assert.ok(error instanceof GatewayError)
        assert.deepEqual([error.code, error.message, error.hint], ['cli-usage', message, hint])
        return true
      },
    )
  }
  assert.throws(() => parseCommand(['--config']), { code: 'cli-usage', message: /argument missing/ })
})
