/** The peer that runs on the same platform: aedes, in memory, on one TCP port. Usage: aedes.js PORT */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
createServer({ noDelay: true }, broker.handle).listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 }, () => {
  console.log('ready')
})
