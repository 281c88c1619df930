/**
 * Simulated JT/T 808 trucks: one that tells what it does, or many.
 *
 *     node dist/examples/devices/truck.js --port 6207 --phone 013812345678 --interval 1s --photos 30 --batches 60
 *     node dist/examples/devices/truck.js --port 6207 --trucks 10000 --interval 1s
 */
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Fleet } from './truck/fleet.ts'
import { type CommandLine, readOptions, USAGE } from './truck/options.ts'

export { Truck, type TruckOptions } from './truck/vehicle.ts'

const FLEET_REPORT_MS = 10_000

async function main(args: string[]): Promise<number> {
  let parsed: CommandLine | string
  try {
    parsed = readOptions(args)
  } catch (error) {
    parsed = (error as Error).message
  }
  if (typeof parsed === 'string') {
    console.error(`${parsed}\n${USAGE}`)
    return 2
  }
  const { truck, trucks } = parsed
  const log = (line: string): void => console.log(line)
  const fleet = new Fleet(trucks, trucks === 1 ? { ...truck, log } : truck).start()
  const report = (): void => {
    const { acknowledged, refused, photos } = fleet.totals
    log(
      `${fleet.online} of ${trucks} trucks online: ${acknowledged} reports acknowledged, ${refused} refused, ${photos} pictures`,
    )
  }
  const reporting = trucks === 1 ? undefined : setInterval(report, FLEET_REPORT_MS)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => fleet.stop())
  const done = await fleet.finished
  clearInterval(reporting)
  if (trucks > 1) report()
  return done ? 0 : 1
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  process.exitCode = await main(process.argv.slice(2))
}
