/** Rewrite rules: which one decides, what becomes of the topic, for whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RewriteRule, rewriteFault, TopicRewrite } from '../../../src/broker/topic-rewrite.ts'

const client = { id: 'c1', username: 'u1' }

function rule(source: string, pattern: string, target: string, action: RewriteRule['action'] = 'all'): RewriteRule {
  return { action, source, pattern, target }
}

test('the last rule whose source matches decides, also when its pattern does not fit', () => {
  const rewrite = new TopicRewrite([
    rule('y/+/z/#', '^y/(.+)/z/(.+)$', 'y/z/$2'),
    rule('x/#', '^x/y/(.+)$', 'z/y/$1'),
    rule('x/y/+', '^x/y/(\\d+)$', 'z/y/$1/$1'),
  ])
  const topics = (...names: string[]): string[] => names.map((name) => rewrite.topic(name, client))
  assert.deepEqual(topics('y/a/z/b', 'y/def', 'x/1/2', 'x/y/2', 'x/y/z', 'x/y/z/a', 'q'), [
    'y/z/b',
    'y/def',
    'x/1/2',
    'z/y/2/2',
    'x/y/z',
    'z/y/z/a',
    'q',
  ])
  assert.deepEqual(topics('y/a/z/b', 'x/y/2'), ['y/z/b', 'z/y/2/2'])
})

test('publish and subscribe have rules of their own', () => {
  const rewrite = new TopicRewrite([rule('a', 'a', 'p', 'publish'), rule('a', 'a', 's', 'subscribe')])
  assert.equal(rewrite.topic('a', client), 'p')
  assert.equal(rewrite.filter('a', client), 's')
})

test('filters are rewritten as they stand, of shared ones the part behind the group', () => {
  const rewrite = new TopicRewrite([rule('old/#', '^old/(.*)$', 'new/$1')])
  assert.equal(rewrite.filter('old/+/x', client), 'new/+/x')
  assert.equal(rewrite.filter('$share/g/old/#', client), '$share/g/new/#')
  assert.equal(rewrite.filter('$share/g', client), '$share/g')
  assert.equal(rewrite.filter('$share/g/other', client), '$share/g/other')
})

test('of a delayed topic the real one is rewritten', () => {
  const rewrite = new TopicRewrite([rule('#', '^(.*)$', 'site/$1')])
  assert.equal(rewrite.topic('$delayed/5/a', client), '$delayed/5/site/a')
  assert.equal(rewrite.topic('$delayed/x/a', client), '$delayed/x/a')
})

test('placeholders stand for the client, whatever the topic holds, and never add a level', () => {
  const rewrite = new TopicRewrite([rule('d/#', '^d/(.*)$', '%c/${clientid}/%u/${username}/$1/100%')])
  assert.equal(rewrite.topic('d/%c/${username}', client), 'c1/c1/u1/u1/%c/${username}/100%')
  assert.equal(rewrite.topic('d/x', { id: 'a/b', username: undefined }), 'a%2Fb/a%2Fb///x/100%')
  assert.equal(rewrite.topic('d/x', client), 'c1/c1/u1/u1/x/100%')
})

test('a group that took no part is empty', () => {
  const rewrite = new TopicRewrite([rule('#', '^a(/b)?$', 'x$1')])
  assert.deepEqual([rewrite.topic('a', client), rewrite.topic('a/b', client)], ['x', 'x/b'])
})

test('more topics than are remembered are rewritten all the same', () => {
  const rewrite = new TopicRewrite([rule('in/+', '^in/(.*)$', 'out/$1')])
  for (let i = 0; i < 10_000; i++) assert.equal(rewrite.topic(`in/${i}`, client), `out/${i}`)
  assert.equal(rewrite.topic('in/0', client), 'out/0')
  const long = 'x'.repeat(60_000)
  assert.equal(rewrite.topic(`in/${long}`, client), `out/${long}`)
})

test('what is wrong with a rule is said', () => {
  assert.equal(rewriteFault(rule('a', '^(a)$', 'b/$1/%c')), undefined)
  assert.equal(rewriteFault(rule('a', 'a', 'b/#', 'subscribe')), undefined)
  assert.equal(rewriteFault(rule('a', '(', 'b'))?.key, 'pattern')
  assert.match(rewriteFault(rule('a', '(a)', 'b/$2'))?.text ?? '', /\$2 stands for nothing, the pattern has 1 groups/)
  assert.match(rewriteFault(rule('a', 'a', 'b/#'))?.text ?? '', /wildcards/)
})
