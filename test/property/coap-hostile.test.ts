/**
 * Whatever arrives: neither server nor client of the stack throws, all that they send is well-formed, and what they keep
 * stays bounded. Messages are arbitrary bytes, and genuine ones of the other side with a few octets changed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMalformed } from '#sdk'
import type { ClientObservation } from '#stacks/coap/client-observation'
import { CHANGED, CONTENT, GET, PUT } from '#stacks/coap/codes'
import { parse } from '#stacks/coap/message'
import { Observation } from '#stacks/coap/observe'
import { opaqueOption, Q_BLOCK1, Q_BLOCK2, REQUEST_TAG, SIZE1, textOption, URI_PATH, uintOption } from '#stacks/coap/options'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { OscoreGate } from '#stacks/coap/oscore/gate'
import { OscoreSender } from '#stacks/coap/oscore/sender'
import { Responder } from '#stacks/coap/responder'
import { ByteBudget } from '#stacks/coap/uploads'
import { systemCrypto } from '../../src/runtime/crypto.ts'
import { Network, type Node } from '../unit/coap/network.ts'

const PATH = [textOption(URI_PATH, 'a')]
const BODY = Uint8Array.from({ length: 300 }, (_, i) => i)
const SECRET = new Uint8Array(16)
const IDS = [Uint8Array.of(1), Uint8Array.of(2)] as const

const RESPONDER = {
  blockwise: { maxBlockSize: 64, maxBodySize: 4096, maxTransfers: 4 },
  echo: 'off',
  qBlock: true,
} as const

function context(own: 0 | 1): SecurityContext {
  return new SecurityContext({ masterSecret: SECRET, senderId: IDS[own], recipientId: IDS[1 - own] as Uint8Array }, systemCrypto)
}

function serve(server: Node): void {
  const known = context(1)
  const gate = new OscoreGate({
    // As careless as the application may be: the key id is the peer's to choose.
    findContext: () => known,
    openResponder: () => new Responder(server.endpoint, RESPONDER, new ByteBudget(8192), server, (n) => server.random(n)),
    now: () => server.now(),
    random: (bytes) => server.random(bytes),
    count: (name) => server.count(name),
  })
  server.onRequest = (request, exchange) => {
    if (!gate.onRequest(request, exchange)) server.responder.onRequest(request, exchange)
  }
  server.serve = (inquiry) => {
    if (inquiry.request.code !== GET) {
      inquiry.respond({ code: CHANGED, payload: Uint8Array.from(inquiry.body) })
    } else if (inquiry.observe === 0) {
      const observation = new Observation({
        token: inquiry.exchange.token,
        endpoint: server.endpoint,
        confirmAfterMs: 3_600_000,
        confirmEvery: Number.POSITIVE_INFINITY,
        protect: inquiry.exchange.protect,
        observationEnded() {},
      })
      inquiry.respond({ code: CONTENT, payload: BODY }, [observation.nextOption()])
      observation.start()
    } else {
      inquiry.respond({ code: CONTENT, payload: BODY })
    }
  }
}

/** Something of each kind is under way: how many requests ended, and the observation, which does not end by itself. */
function begin(network: Network): { readonly ended: () => number; readonly observation: ClientObservation } {
  const [device, server] = network.nodes
  serve(server)
  let ended = 0
  const done = (): void => void ended++
  const sender = new OscoreSender(device.requester, context(0))
  device.client.request({ confirmable: true, code: PUT, options: PATH, payload: BODY }, done)
  device.client.request({ confirmable: false, code: GET, options: PATH }, done)
  device.client.request({ confirmable: true, code: GET, options: PATH }, done, sender)
  const bursts = [opaqueOption(REQUEST_TAG, Uint8Array.of(1)), uintOption(SIZE1, 40), opaqueOption(Q_BLOCK1, Uint8Array.of(8))]
  const block = { confirmable: false, code: PUT, options: [...PATH, ...bursts], payload: BODY.subarray(0, 16) }
  device.requester.send(block, done)
  device.requester.send({ confirmable: false, code: GET, options: [...PATH, opaqueOption(Q_BLOCK2, Uint8Array.of(8))] }, done)
  const observation = device.client.observe(
    { confirmable: true, code: GET, options: PATH },
    { notified: () => {}, ended: () => {} },
  )
  return { ended: () => ended, observation }
}

interface Step {
  readonly to: 0 | 1
  /** Which earlier datagram is sent again, changed; or arbitrary bytes. */
  readonly of: number | undefined
  readonly bytes: Uint8Array
  readonly changes: readonly (readonly [at: number, value: number])[]
  readonly waitMs: number
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    to: fc.constantFrom(0 as const, 1 as const),
    of: fc.option(fc.nat(40), { nil: undefined, freq: 4 }),
    bytes: fc.uint8Array({ maxLength: 40 }),
    changes: fc.array(fc.tuple(fc.nat(30), fc.nat(255)), { maxLength: 3 }),
    waitMs: fc.constantFrom(0, 15, 2000, 60_000),
  }),
  { maxLength: 30 },
)

function datagram(network: Network, { of, bytes, changes }: Step): Uint8Array {
  const genuine = of === undefined ? undefined : network.wire[of % Math.max(1, network.wire.length)]?.bytes
  const datagramBytes = Uint8Array.from(genuine ?? bytes)
  for (const [at, value] of changes) if (at < datagramBytes.length) datagramBytes[at] = value
  return datagramBytes
}

test('no datagram makes the stack throw, send what is malformed, or keep without bound', () => {
  fc.assert(
    fc.property(steps, fc.integer(), (all, seed) => {
      const network = new Network({ delayMs: 10, seed }, [{ client: { maxBlockSize: 64 } }, { responder: RESPONDER }])
      const { ended, observation } = begin(network)
      for (const step of all) {
        network.nodes[step.to].endpoint.receive(datagram(network, step))
        network.advance(step.waitMs)
      }
      network.advance(3_600_000)
      observation.cancel(false)
      network.advance(3_600_000)
      assert.equal(ended(), 5, 'every request ended, once')
      for (const { bytes } of network.wire) {
        const message = parse(bytes)
        assert.ok(!isMalformed(message), Buffer.from(bytes).toString('hex'))
      }
      for (const { requester, responder } of network.nodes) {
        assert.deepEqual([requester.pending, responder.transfers.size], [0, 0])
      }
    }),
    { numRuns: 100, examples: [[[], -332313217]] },
  )
})
