/** The `broker` section: defaults, and what is wrong with rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffConfigs } from '../../../src/config/diff.ts'
import { problemsOf, valid } from './support.ts'

const broker = (text: string): string => `gateways: { alpha: {} }\nbroker: ${text}`
const problem = async (text: string): Promise<string> => (await problemsOf(broker(text)))[0] ?? ''

test('without the section, and in an empty one, nothing is rewritten or subscribed', async () => {
  for (const text of ['gateways: { alpha: {} }', broker('')]) {
    const config = await valid(text)
    assert.deepEqual([config.broker.rewrite, config.broker.autoSubscribe], [[], []])
  }
})

test('rules are filled with their defaults, and keep the placeholders of clients', async () => {
  const { broker: section } = await valid(
    broker(
      '{ rewrite: [ { source: "x/#", pattern: "^x/(.*)$", target: "${clientid}/$1" } ], autoSubscribe: [ { topic: "d/${clientid}" } ] }',
    ),
  )
  assert.deepEqual(section.rewrite, [{ action: 'all', source: 'x/#', pattern: '^x/(.*)$', target: '${clientid}/$1' }])
  assert.deepEqual(section.autoSubscribe, [
    { topic: 'd/${clientid}', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
  ])
})

test('a pattern that is broken or cannot be matched in linear time is an error with its path', async () => {
  const rule = (pattern: string): string => `{ rewrite: [ { source: a, pattern: ${JSON.stringify(pattern)}, target: b } ] }`
  assert.match(
    await problem(rule('(a')),
    /^omnigate\.yaml:2:\d+ broker\.rewrite\[0\]\.pattern: the pattern cannot be used: a "\(" is not closed\. Write a regular expression/,
  )
  assert.match(await problem(rule('(a)\\1')), /broker\.rewrite\[0\]\.pattern: .*back-references are not supported/)
})

test('what a rule names must exist', async () => {
  const rewrite = (source: string, target: string, action = 'all'): string =>
    `{ rewrite: [ { action: ${action}, source: "${source}", pattern: "^(a)$", target: "${target}" } ] }`
  assert.match(await problem(rewrite('a', 'b/$2')), /broker\.rewrite\[0\]\.target: \$2 stands for nothing/)
  assert.match(await problem(rewrite('a', 'b/#', 'publish')), /broker\.rewrite\[0\]\.target: .*wildcards/)
  assert.match(await problem(rewrite('a/#/b', 'b')), /broker\.rewrite\[0\]\.source: this is no topic filter/)
  assert.match(await problem(rewrite('$share/g/a', 'b')), /broker\.rewrite\[0\]\.source/)
  assert.match(await problem(rewrite('a', 'b', 'read')), /broker\.rewrite\[0\]\.action/)
  assert.match(
    await problem('{ autoSubscribe: [ { topic: "a/${name}" } ] }'),
    /broker\.autoSubscribe\[0\]\.topic: a placeholder is unknown/,
  )
  assert.match(
    await problem('{ autoSubscribe: [ { topic: "a/#/b" } ] }'),
    /broker\.autoSubscribe\[0\]\.topic: this is no topic filter/,
  )
  assert.match(await problem('{ autoSubscribe: [ { topic: a, qos: 3 } ] }'), /broker\.autoSubscribe\[0\]\.qos/)
  assert.match(await problem('{ rewrit: [] }'), /broker\.rewrit: unknown key "rewrit"\. Did you mean "rewrite"\?/)
})

test('changed rules are live', async () => {
  const rules = (target: string) => valid(broker(`{ rewrite: [ { source: a, pattern: a, target: ${target} } ] }`))
  const { common } = diffConfigs(await rules('b'), await rules('c'))
  assert.deepEqual(
    common.filter(({ path }) => path.startsWith('broker')),
    [{ path: 'broker.rewrite', reload: 'live' }],
  )
})
