import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PeerTable, type TablePeer } from '../../../src/transport/peer-table.ts'

function peer(host: string, port: number): TablePeer {
  return { host, port }
}

describe('peer table', () => {
  it('tells ports of one address apart', () => {
    const table = new PeerTable()
    const first = peer('10.0.0.1', 1)
    const second = peer('10.0.0.1', 2)
    table.add(first)
    assert.equal(table.get('10.0.0.1', 2), undefined)
    table.add(second)
    assert.equal(table.get('10.0.0.1', 1), first)
    assert.equal(table.get('10.0.0.1', 2), second)
    assert.equal(table.get('10.0.0.2', 1), undefined)
  })

  it('does not let an old peer take its successor with it', () => {
    const table = new PeerTable()
    for (const others of [0, 1]) {
      for (let port = 50; port < 50 + others; port++) table.add(peer('10.0.0.1', port))
      const old = peer('10.0.0.1', 1)
      const young = peer('10.0.0.1', 1)
      table.add(old)
      table.add(young)
      assert.equal(table.delete(old), false)
      assert.equal(table.get('10.0.0.1', 1), young)
      assert.equal(table.delete(young), true)
      assert.equal(table.get('10.0.0.1', 1), undefined)
      assert.equal(table.size, others)
    }
  })

  it('agrees with a plain map under any sequence of calls', () => {
    const place = fc.record({ address: fc.constantFrom('a', 'b', 'c', 'd'), port: fc.integer({ min: 1, max: 4 }) })
    const step = fc.record({ call: fc.constantFrom('add' as const, 'delete' as const, 'walk' as const), place })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const table = new PeerTable()
        const model = new Map<string, TablePeer>()
        for (const { call, place: at } of steps) {
          const key = `${at.address}:${at.port}`
          if (call === 'add') {
            const added = peer(at.address, at.port)
            table.add(added)
            model.set(key, added)
          } else if (call === 'delete') {
            const known = model.get(key)
            assert.equal(table.delete(known ?? peer(at.address, at.port)), known !== undefined)
            model.delete(key)
          } else {
            const seen = new Set<TablePeer>()
            while (table.walk(2, (each) => seen.add(each))) {}
            assert.deepEqual(seen, new Set(model.values()))
          }
          assert.equal(table.size, model.size)
          assert.equal(table.get(at.address, at.port), model.get(key))
        }
        assert.deepEqual(new Set(table), new Set(model.values()))
      }),
    )
  })

  it('can lose every peer while it is walked', () => {
    const table = new PeerTable()
    for (let i = 0; i < 100; i++) table.add(peer(`10.0.0.${i % 30}`, i))
    let steps = 1
    while (table.walk(7, (each) => table.delete(each))) steps++
    assert.equal(table.size, 0)
    assert.ok(steps > 5)
  })
})
