/** JT/T 808 messages as people write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notation } from '../codec/notation.ts'

const LINES = [
  'heartbeat sn=0',
  'deregister sn=65535',
  'register sn=1 province=31 city=115 manufacturer=70111 model=MODEL dev_id=ID1 color=1 license_number=沪B12345 edition=2013',
  'authenticate sn=2 code="a b"',
  'location sn=3 alarm=1 status=3 latitude=31230416 longitude=121473701 altitude=12 speed=614 direction=178 time=261122160000 extras=hex:0104000000ff',
  'terminal-response sn=4 seq=3 id=0x8300 result=0',
  'platform-response sn=5 seq=3 id=0x0200 result=1',
  'register-response sn=6 seq=1 result=0 auth_code=abc',
  'text-message sn=7 flag=4 text="two words"',
  '0x0f01 sn=8 hex:0102',
  '0x0f01 sn=9',
  '0x0801 sn=10 part=2/3 hex:00',
  '0x0900 sn=11 encryption=1 hex:ff',
]

test('every line comes back as it was written', () => {
  const { encode, decode } = notation()
  for (const line of LINES) assert.equal(decode(encode(line)), line)
})

test('the phone number stays, tells the form, and is printed where it is another', () => {
  const { encode, decode } = notation()
  const first = encode('authenticate phone=00000000013812345678 code=a imei=123456789012345 software_version=V1')
  assert.match(decode(first), /^authenticate sn=0 code=a imei=123456789012345 software_version=V1/)
  assert.equal(decode(encode('heartbeat')), 'heartbeat sn=1')
  assert.equal(notation().decode(first).split(' ')[1], 'phone=00000000013812345678')
})

test('a line that is no message is refused', () => {
  const { encode, decode } = notation()
  for (const line of ['', 'fly', 'heartbeat word', 'heartbeat what=1', 'location speed=fast', '0x0f01 hex:0']) {
    assert.throws(() => encode(line), Error, line)
  }
  assert.throws(() => decode(Uint8Array.of(0x7e, 1, 0x7e)), /short-header|bad-check-code/)
})
