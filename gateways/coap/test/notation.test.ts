/** CoAP messages as people write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from '../codec/notation.ts'

const LINES = [
  'con 1 0.00',
  'ack 65535 0.00',
  'con 7 GET /',
  'con 7 POST /ps/a?clientid=d1&qos=1 token=01ff payload="21.5"',
  'non 8 PUT /ps/a/ payload={"t":1,"text":"a b"}',
  'non 9 2.05 token=a1 observe=70000 location=/ps/a/b format=50 max-age=60 etag=0102 payload="x \\"y\\" z"',
  'con 10 GET /ps/big observe=0 accept=0 block2=3/0/16',
  'con 11 PUT /ps/big if-match=01 if-match= block1=2/1/1024 size1=4000 no-response=26 payload=hex:ff00',
  'con 12 GET /ps/a opt-65000=0102',
  'ack 13 5.03 payload="later"',
  'con 14 iPATCH /x',
  'con 15 0.31 /x',
]

test('every line comes back as it was written', () => {
  for (const line of LINES) assert.equal(decode(encode(line)), line)
})

test('a line that is no message is refused', () => {
  for (const line of [
    '',
    'con',
    'xyz 1 GET /',
    'con x GET /',
    'con 1 GOT /',
    'con 1 GET / what=1',
    'con 1 GET / word',
    'con 1 PUT / block1=0/1/17',
  ]) {
    assert.throws(() => encode(line), Error, line)
  }
  assert.throws(() => decode(Uint8Array.of(0x49, 1, 0, 1)), /token-truncated/)
})
