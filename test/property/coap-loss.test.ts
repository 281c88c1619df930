/**
 * 30 % loss, duplication and reordering: every confirmable exchange ends in success or a reported failure, once, and no
 * duplicate reaches the application. Both nodes are server and client; bodies in blocks and observations included.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGED, CONTENT, codeText, FETCH, GET, IPATCH, NOT_FOUND, POST, PUT } from '#stacks/coap/codes'
import type { Timed } from '#stacks/coap/deadlines'
import { type Notification, Observation } from '#stacks/coap/observe'
import { MAX_AGE, textOption, URI_PATH, URI_QUERY, uintOption } from '#stacks/coap/options'
import type { Inquiry } from '#stacks/coap/responder'
import { Network, type Node } from '../unit/coap/network.ts'

const RUNS = 60
const REQUESTS = 24
/** About as fast as such a network takes them, one at a time (NSTART). */
const PACE_MS = 120_000
/** Beyond any exchange: every transfer is bounded, also one of many blocks that begins anew. */
const LONG_MS = 40 * 3_600_000

const BAD = { loss: 0.3, delayMs: 40, reorder: true, duplicate: 0.3 }

function body(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i >> 4) * 31 + i * 7 + seed)
}

/** Large enough for several blocks of 64. */
const LARGE = body(300, 1)

/** What an application would do with the requests; it sees each request at most once. */
class Application {
  /** How often each numbered request was served. */
  readonly served = new Map<string, number>()
  readonly #node: Node

  constructor(node: Node) {
    this.#node = node
    node.serve = (inquiry) => this.#serve(inquiry)
  }

  #serve(inquiry: Inquiry): void {
    const [kind = ''] = inquiry.path
    const id = inquiry.queries[0] ?? ''
    if (inquiry.request.code !== GET) this.served.set(id, (this.served.get(id) ?? 0) + 1)
    switch (kind) {
      case 'small':
        inquiry.respond({ code: CHANGED, payload: inquiry.body })
        return
      case 'large':
        inquiry.respond({ code: CONTENT, payload: LARGE })
        return
      case 'both':
        inquiry.respond({ code: CHANGED, payload: Uint8Array.from(inquiry.body).reverse() })
        return
      case 'separate':
        this.#later(() => inquiry.respond({ code: CHANGED, payload: inquiry.body }))
        return
      default:
        inquiry.refuse(NOT_FOUND, 'no such resource')
    }
  }

  #later(run: () => void): void {
    const pause: Timed = { dueAt: 0, heapIndex: -1, onDeadline: run }
    this.#node.endpoint.deadlines.set(pause, this.#node.now() + 3000)
  }
}

interface Asked {
  readonly id: string
  readonly outcomes: string[]
  /** Served once when this succeeded, once at most when it failed. */
  readonly counts: boolean
}

const KINDS = [
  { kind: 'small', code: POST, size: 20, answer: (sent: Uint8Array) => sent },
  { kind: 'separate', code: POST, size: 20, answer: (sent: Uint8Array) => sent },
  { kind: 'both', code: PUT, size: 300, answer: (sent: Uint8Array) => Uint8Array.from(sent).reverse() },
  { kind: 'large', code: GET, size: 0, answer: () => LARGE },
  { kind: 'large', code: FETCH, size: 200, answer: () => LARGE },
  { kind: 'small', code: IPATCH, size: 20, answer: (sent: Uint8Array) => sent },
] as const

function ask(node: Node, index: number): Asked {
  const { kind, code, size, answer } = KINDS[index % KINDS.length] ?? assert.fail()
  const id = `id=${index}`
  const payload = body(size, index)
  const options = [textOption(URI_PATH, kind), textOption(URI_QUERY, id)]
  const outcomes: string[] = []
  node.client.request({ confirmable: true, code, options, payload }, (result) => {
    if (typeof result === 'string') outcomes.push(result)
    else {
      outcomes.push(codeText(result.code))
      if (result.code >> 5 === 2) assert.deepEqual(Uint8Array.from(result.body), answer(payload), `${kind} ${id}`)
    }
  })
  return { id, outcomes, counts: code !== GET }
}

/** Successes, and failures that were reported, over all runs. */
const totals = { success: 0, failure: 0 }

function run(seed: number): void {
  const client = { maxBlockSize: 64 }
  const responder = { blockwise: { maxBlockSize: 64, maxBodySize: 4096, maxTransfers: 64 }, echo: 'off' } as const
  const network = new Network({ ...BAD, seed }, [
    { client, responder },
    { client, responder },
  ])
  const applications = network.nodes.map((node) => new Application(node))
  const asked: Asked[][] = [[], []]
  for (let index = 0; index < REQUESTS; index++) {
    for (const side of [0, 1] as const) asked[side]?.push(ask(network.nodes[side], index))
    network.advance(PACE_MS)
  }
  network.advance(LONG_MS)
  for (const side of [0, 1] as const) {
    const served = applications[1 - side]?.served ?? assert.fail()
    for (const { id, outcomes, counts } of asked[side] ?? []) {
      assert.equal(outcomes.length, 1, `seed ${seed}: ${id} ended ${outcomes.length} times`)
      const isSuccess = outcomes[0]?.startsWith('2.') ?? false
      totals[isSuccess ? 'success' : 'failure']++
      if (!counts) continue
      const times = served.get(id) ?? 0
      assert.ok(times <= 1, `seed ${seed}: ${id} reached the application ${times} times`)
      if (isSuccess) assert.equal(times, 1, `seed ${seed}: ${id} succeeded without being served`)
    }
    const { requester, responder: server, endpoint, malformed } = network.nodes[side]
    assert.deepEqual(malformed, [])
    const left = [requester.pending, server.transfers.size, endpoint.unsettled, endpoint.deadlines.size, endpoint.isQuiet()]
    assert.deepEqual(left, [0, 0, 0, 0, true], `seed ${seed}: nothing is left over`)
  }
}

test('every exchange ends once, and none is served twice, both ways, under loss, duplication and reordering', () => {
  for (let seed = 1; seed <= RUNS; seed++) run(seed)
  assert.ok(totals.success > 5 * totals.failure, `most succeed: ${JSON.stringify(totals)}`)
  assert.ok(totals.failure > 0, 'some fail, and say so')
})

/** A counter that is observed: small states and large ones by turns. */
function observed(seed: number): void {
  const network = new Network({ ...BAD, seed }, [{ client: { maxBlockSize: 64 } }, {}])
  const [device, server] = network.nodes
  let state = 0
  const observations = new Map<string, Observation>()
  const represent = () => ({
    code: CONTENT,
    options: [uintOption(MAX_AGE, 30)],
    payload: body(state % 2 === 0 ? 10 : 300, state),
  })
  server.serve = (inquiry) => {
    if (inquiry.observe !== 0) {
      inquiry.respond(represent())
      return
    }
    const { token } = inquiry.exchange
    observations.get(token)?.cancel()
    const observation = new Observation({
      token,
      endpoint: server.endpoint,
      confirmAfterMs: 60_000,
      confirmEvery: Number.POSITIVE_INFINITY,
      observationEnded: () => void observations.delete(token),
    })
    observations.set(token, observation)
    inquiry.respond(represent(), [observation.nextOption()])
    observation.start()
    const notification = (confirmable: boolean): Notification => ({
      confirmable,
      render: (sent) => {
        sent()
        return server.responder.notification(inquiry, represent())
      },
      settled: () => {},
    })
    notify = (confirmable) => observations.get(token)?.offer(notification(confirmable))
  }
  let notify: (confirmable: boolean) => void = () => {}
  const told: number[] = []
  const ends: string[] = []
  const options = [textOption(URI_PATH, 'state')]
  device.client.observe(
    { confirmable: true, code: GET, options },
    {
      notified: ({ body: bytes }) => {
        const seen = bytes[0] as number
        assert.deepEqual(Uint8Array.from(bytes), body(seen % 2 === 0 ? 10 : 300, seen), `seed ${seed}: one state, not a mixture`)
        told.push(seen)
      },
      ended: (why) => void ends.push(typeof why === 'string' ? why : codeText(why.code)),
    },
  )
  for (let change = 1; change <= 40; change++) {
    network.advance(5000)
    state = change
    notify(change % 3 === 0)
  }
  // A quiet network again: by Max-Age at the latest the client knows the last state, unless it gave up and said so.
  network.impairment = new Network().impairment
  network.advance(300_000)
  if (ends.length === 0) assert.equal(told.at(-1), state, `seed ${seed}: eventual consistency`)
  else assert.deepEqual(ends, ['timeout'])
  assert.ok(
    told.every((seen, i) => i === 0 || seen >= (told[i - 1] as number)),
    `seed ${seed}: states are told in their order: ${told}`,
  )
}

test('an observer ends up with the last state, whole and in order, or knows that it lost it', () => {
  for (let seed = 1; seed <= RUNS; seed++) observed(seed)
})
