/** The crash test's own judgement: every fault that it is there to find is found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from './crash-ledger.ts'
import { RetainedHistory } from './crash-retained.ts'

function ledger(qos: 1 | 2, numbers: readonly number[], acknowledged: readonly number[]): Ledger {
  const made = new Ledger()
  made.addStream({ name: 's', qos })
  made.addReceiver({ name: 'r', qos: 2 })
  for (let count = 0; count < 5; count++) made.send('s')
  for (const number of acknowledged) made.acknowledge('s', number)
  for (const number of numbers) made.receive('r', 's', number)
  return made
}

test('all in order, repeated at QoS 1, and unacknowledged ones that came or not: no fault', () => {
  assert.deepEqual(ledger(1, [0, 1, 2, 1, 2, 4], [0, 1]).faults(), [])
  assert.deepEqual(ledger(2, [0, 1, 2, 4], [0, 1, 4]).faults(), [])
})

test('an acknowledged message that did not come is lost', () => {
  assert.deepEqual(ledger(1, [0, 2], [0, 1, 2]).faults(), ['acknowledged and lost: 1 times: r s 1'])
})

test('a QoS 2 message may not come twice', () => {
  assert.deepEqual(ledger(2, [0, 1, 1], [0, 1]).faults(), ['QoS 2 and more than once: 1 times: r s 1'])
})

test('a QoS 1 message that comes after every restart was not stored as acknowledged', () => {
  assert.deepEqual(ledger(1, [0, 0, 0, 0, 0, 0], [0]).faults(), [])
  assert.deepEqual(ledger(1, [0, 0, 0, 0, 0, 0, 0], [0]).faults(), ['acknowledged again and again: 1 times: r s 0'])
})

test('first arrivals are in order', () => {
  assert.deepEqual(ledger(1, [1, 0, 1], [0, 1]).faults(), ['out of order: 1 times: r s 0 after 1'])
})

test('what was never sent is no message', () => {
  assert.deepEqual(ledger(1, [0, 5], [0]).faults(), ['never sent: 1 times: r s 5'])
})

test('a group has to get each message once between its members', () => {
  const shared = new Ledger()
  shared.addStream({ name: 's', qos: 2 })
  shared.addReceiver({ name: 'a', qos: 2, group: 'g' })
  shared.addReceiver({ name: 'b', qos: 2, group: 'g' })
  for (let count = 0; count < 3; count++) shared.acknowledge('s', shared.send('s'))
  shared.receive('a', 's', 0)
  shared.receive('b', 's', 0)
  shared.receive('b', 's', 1)
  assert.deepEqual(shared.faults(), ['acknowledged and lost: 1 times: g s 2', 'QoS 2 and more than once: 1 times: g s 0'])
})

test('a retained message is the last acknowledged one or a later one', () => {
  const history = new RetainedHistory()
  const numbers = ['one', 'two', '', 'four'].map((text) => history.send('t', text))
  history.acknowledge('t', numbers[1] as number)
  const since = history.mark()
  history.send('t', 'five')
  for (const text of ['two', undefined, 'four', 'five']) assert.deepEqual(history.faults(since, retained(text)), [])
  for (const text of ['one', 'six']) assert.equal(history.faults(since, retained(text)).length, 1)
  history.acknowledge('t', numbers[3] as number)
  assert.equal(history.faults(history.mark(), retained(undefined)).length, 1)
})

function retained(text: string | undefined): Map<string, string> {
  return text === undefined ? new Map() : new Map([['t', text]])
}
