/** Web links: RFC 6690. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterLinks, formatLinks, type Link } from '#stacks/coap/link-format'

const LINKS: readonly Link[] = [
  { target: '/sensors/temp', attributes: { rt: 'Type1 Type2', if: 'If1', ct: 50, obs: true } },
  { target: '/link1', attributes: { rt: 'Type3', title: 'say "hi" \\ bye' } },
  { target: '/plain', attributes: {} },
]

test('links are written with their attributes, quoted where needed', () => {
  assert.equal(
    formatLinks(LINKS),
    '</sensors/temp>;rt="Type1 Type2";if="If1";ct=50;obs,</link1>;rt="Type3";title="say \\"hi\\" \\\\ bye",</plain>',
  )
  assert.equal(formatLinks([]), '')
})

test('a query selects by attribute, by word, by prefix', () => {
  const targets = (query: string | undefined) => filterLinks(LINKS, query).map(({ target }) => target)
  assert.deepEqual(targets(undefined), ['/sensors/temp', '/link1', '/plain'])
  assert.deepEqual(targets('rt=Type2'), ['/sensors/temp'])
  assert.deepEqual(targets('rt=Type*'), ['/sensors/temp', '/link1'])
  assert.deepEqual(targets('rt=*'), ['/sensors/temp', '/link1'])
  assert.deepEqual(targets('rt=Type'), [])
  assert.deepEqual(targets('if=If*'), ['/sensors/temp'])
  assert.deepEqual(targets('ct=50'), ['/sensors/temp'])
  assert.deepEqual(targets('obs=*'), ['/sensors/temp'])
  assert.deepEqual(targets('href=/link1'), ['/link1'])
  assert.deepEqual(targets('href=/*'), ['/sensors/temp', '/link1', '/plain'])
  assert.deepEqual(targets('sz=*'), [])
})
