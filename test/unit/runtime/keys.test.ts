/** HMAC and RSA as gateways use them, against published values and node:crypto. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toHex } from '../../../src/bytes/hex.ts'
import { gatewayKeys, keyFile } from '../../../src/runtime/keys.ts'

const nowhere = { read: () => undefined, write: () => {} }

test('HMAC-SHA-256 of RFC 4231, test case 2', () => {
  const mac = gatewayKeys(nowhere).mac('Jefe', 'what do ya want for nothing?')
  assert.equal(toHex(mac), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})

test('a gateway’s key pair is made once, kept for its owner only, and used again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'keys', 'trucks.pem')
  const first = gatewayKeys(keyFile(path)).rsaKey(1024, undefined)
  const again = gatewayKeys(keyFile(path)).rsaKey(1024, undefined)
  assert.deepEqual(again.modulus, first.modulus)
  assert.equal(first.modulus.length, 128)
  assert.equal(first.exponent, 65_537)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('what is encrypted for a key comes back; another block is none', () => {
  const keys = gatewayKeys(nowhere)
  const key = keys.rsaKey(1024, undefined)
  const block = keys.encrypt(key.exponent, key.modulus, new Uint8Array([1, 0, 2]))
  assert.equal(block?.length, 128)
  assert.deepEqual([...(key.decrypt(block as Uint8Array) ?? [])], [1, 0, 2])
  assert.deepEqual([...(key.decrypt(keys.encrypt(key.exponent, key.modulus, new Uint8Array(0)) as Uint8Array) ?? [9])], [])
  assert.equal(key.decrypt(new Uint8Array(128)), undefined)
  assert.equal(key.decrypt(new Uint8Array(128).fill(0xff)), undefined, 'no number below the modulus')
  assert.equal(key.decrypt(new Uint8Array(5)), undefined)
  assert.equal(keys.encrypt(key.exponent, key.modulus, new Uint8Array(118)), undefined, 'more than a block holds')
  assert.equal(keys.encrypt(0, new Uint8Array(128), new Uint8Array(1)), undefined)
})

test('a key file is read; one of another length or kind is refused', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'key.pem')
  const pem = (key: { export(options: object): string | Buffer }) => key.export({ type: 'pkcs8', format: 'pem' }) as string
  const keys = gatewayKeys(nowhere)
  writeFileSync(path, pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey))
  assert.equal(keys.rsaKey(1024, path).modulus.length, 128)
  writeFileSync(path, pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey))
  assert.throws(() => keys.rsaKey(1024, path), /must be RSA of 1024 bits/)
  writeFileSync(path, pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))
  assert.throws(() => keys.rsaKey(1024, path), /must be RSA/)
  assert.throws(() => keys.rsaKey(1024, join(folder, 'none.pem')), /ENOENT/)
})
