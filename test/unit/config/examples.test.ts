import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../../src/cli/package.ts'
import { formatProblem, type Problem } from '../../../src/config/errors.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { Registry } from '../../../src/runtime/registry.ts'
import { configFile } from './support.ts'

const modules = new Registry()

/** Problems other than that a gateway's folder was deleted, which takes its section's meaning along. */
async function problemsIn(file: string): Promise<Problem[]> {
  const { problems } = await loadConfig({ file, directory: packageRoot(), environment: {}, modules })
  return problems.filter(({ code }) => code !== 'gateway-unknown')
}

test('the quickstart is valid', async () => {
  const problems = await problemsIn(join('examples', 'quickstart', 'omnigate.yaml'))
  assert.deepEqual(problems.map(formatProblem), [])
})

test('the sample of the contract is understood, DTLS being the only thing that is not there yet', async () => {
  const file = configFile(`# yaml-language-server: $schema=./specs/generated/config.schema.json
node: { name: edge-1, dataDir: ./data }
gateways:
  mqtt:    { listeners: [ { type: tcp, bind: "0.0.0.0:1883" }, { type: ws, bind: "0.0.0.0:8083", path: /mqtt } ] }
  coap:    { listeners: [ { type: udp, bind: "0.0.0.0:5683" }, { type: dtls, bind: "0.0.0.0:5684" } ] }
  trucks:  { use: jt808, listeners: [ { type: tcp, bind: "0.0.0.0:6207" } ] }   # the key names the instance; \`use\` the protocol
api: { bind: "127.0.0.1:18083" }
`)
  const codes = (await problemsIn(file)).map(({ code, path }) => `${code} ${path}`)
  const isInstalled = (await modules.names()).includes('coap')
  assert.deepEqual(codes, isInstalled ? ['listener-dtls-unavailable gateways.coap.listeners[1].type'] : [])
})
