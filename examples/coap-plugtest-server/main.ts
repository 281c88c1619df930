/**
 * Runs the server until it is told to stop, and prints one line once it listens.
 *
 *   node dist/examples/coap-plugtest-server/main.js --host 127.0.0.1 --port 5683
 */
import { parseArgs } from 'node:util'
import { PlugtestServer } from './server.ts'
import { plugtestConfig } from './settings.ts'

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '5683' },
    'block-size': { type: 'string', default: '1024' },
    'token-size': { type: 'string', default: '8' },
    echo: { type: 'string', default: 'off' },
    verbose: { type: 'boolean', default: false },
  },
})

const server = new PlugtestServer({
  host: values.host,
  port: Number(values.port),
  config: plugtestConfig.parse({
    blockSize: Number(values['block-size']),
    tokenSize: Number(values['token-size']),
    echo: values.echo,
  }),
  counted: values.verbose ? (name, by) => console.log(`${name} ${by}`) : undefined,
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.stop())
const port = await server.start()
console.log(`ready coap://${values.host.includes(':') ? `[${values.host}]` : values.host}:${port}`)
